import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { requireTrace, uuidOf } from './tables.ts'

/** Deleting what is gone already is no error: clients do it again when they do not know that it arrived. */
export const deleteAssessment = handle(contract.deleteAssessment, async (ctx, { trace, assessment }) => {
  await requireTrace(ctx.db, trace)
  const { rows } = await sql<{ overrides: string | null }>`
    delete from traces.assessment where id = ${uuidOf(assessment)} and trace = ${uuidOf(trace)} returning overrides
  `.execute(ctx.db)
  const overridden = rows[0]?.overrides
  if (overridden != null) {
    await sql`update traces.assessment set valid = true where id = ${overridden}`.execute(ctx.db)
  }
  ctx.entry.subject('assessment', assessment)
  ctx.entry.subject('trace', trace)
  return { deleted: rows.length > 0 }
})
