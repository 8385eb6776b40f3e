import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { prefixed, tracesFailure, uuidOf } from './tables.ts'

/** Spans, links and assessments go with their trace. */
export const deleteTraces = handle(contract.deleteTraces, async (ctx, { experiment, traces, until, limit }) => {
  if ((until === undefined) === (traces.length === 0)) {
    throw tracesFailure('trace_deletion_unclear', 'Name either the traces or the time until which they are deleted')
  }
  const chosen =
    until === undefined ? sql<boolean>`id = any(${traces.map(uuidOf)}::uuid[])` : sql<boolean>`started_ms <= ${until}`
  const { rows } = await sql<{ id: string }>`
    with chosen as materialized (
      select id from traces.trace where experiment = ${Number(experiment)} and ${chosen}
      order by started_ms, id limit ${limit} for update
    )
    delete from traces.trace trace using chosen where trace.id = chosen.id returning trace.id
  `.execute(ctx.db)
  ctx.entry.subject('experiment', experiment)
  for (const { id } of rows.slice(0, 100)) ctx.entry.subject('trace', prefixed('tr', id))
  ctx.entry.facts({ deleted: rows.length, ...(until !== undefined && { until }) })
  return { deleted: rows.length }
})
