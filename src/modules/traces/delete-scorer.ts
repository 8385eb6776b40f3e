import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { tracesFailure } from './tables.ts'

export const deleteScorer = handle(contract.deleteScorer, async (ctx, { experiment, name, version }) => {
  const { rows } = await sql<{ version: number }>`
    delete from traces.scorer
    where experiment = ${Number(experiment)} and name = ${name} and version = coalesce(${version ?? null}, version)
    returning version
  `.execute(ctx.db)
  if (rows.length === 0) {
    throw tracesFailure('scorer_not_found', `The experiment ${experiment} has no scorer ${name}`)
  }
  for (const one of rows) ctx.entry.subject('scorer', `${experiment}/${name}@${one.version}`)
  return { deleted: rows.length }
})
