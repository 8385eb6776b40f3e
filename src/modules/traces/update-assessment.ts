import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findAssessment, keepableJson, tracesFailure, uuidOf } from './tables.ts'

/** Its source and its span stay what they are. */
export const updateAssessment = handle(contract.updateAssessment, async (ctx, input) => {
  const { trace, assessment, kind, metadata, ...changes } = input
  const before = await findAssessment(ctx.db, trace, assessment, { lock: true })
  if (kind !== undefined && kind !== before.kind) {
    throw tracesFailure('assessment_kind_differs', `${assessment} is ${before.kind}, not ${kind}`)
  }
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
  const after = { ...before, ...given, metadata: { ...before.metadata, ...metadata }, updatedAt: ctx.clock.iso() }
  await sql`
    update traces.assessment set name = ${after.name}, value = ${keepableJson(after.value)}::jsonb,
      error = ${after.error === null ? null : keepableJson(after.error)}::jsonb, rationale = ${after.rationale},
      metadata = ${keepableJson(after.metadata)}::jsonb, updated_at = ${after.updatedAt}
    where id = ${uuidOf(assessment)}
  `.execute(ctx.db)
  ctx.entry.subject('assessment', assessment)
  ctx.entry.subject('trace', trace)
  ctx.entry.before(before)
  ctx.entry.after(after)
  return after
})
