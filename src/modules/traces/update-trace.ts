import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { keepableTags, requireTrace, tracesFailure, uuidOf } from './tables.ts'

export const updateTrace = handle(contract.updateTrace, async (ctx, { trace, tags, removeTags }) => {
  const before = await requireTrace(ctx.db, trace)
  const missing = removeTags.filter((key) => !Object.hasOwn(before.tags, key))
  if (missing.length > 0) {
    throw tracesFailure('trace_tag_not_found', `The trace ${trace} has no tag ${missing.join(', ')}`)
  }
  const { 'mlflow.traceName': name = null, ...others } = keepableTags(tags)
  const { rows } = await sql<{ tags: Record<string, string> }>`
    update traces.trace
    set tags = (tags || ${JSON.stringify(others)}::jsonb) - ${removeTags}::text[], name = coalesce(${name}, name)
    where id = ${uuidOf(trace)} returning tags
  `.execute(ctx.db)
  const after = rows[0]?.tags ?? {}
  ctx.entry.subject('trace', trace)
  ctx.entry.before(before.tags)
  ctx.entry.after(after)
  return { trace, tags: after }
})
