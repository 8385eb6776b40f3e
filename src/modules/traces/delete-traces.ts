import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { releaseObjects } from '#platform/storage/objects/release-objects.ts'
import * as contract from './contract.ts'
import { prefixed, tracesFailure, uuidOf } from './tables.ts'

/** Spans, links, assessments and attachments go with their trace; the bytes of these once nothing else refers to them. */
export const deleteTraces = handle(contract.deleteTraces, async (ctx, { experiment, traces, until, limit }) => {
  if ((until === undefined) === (traces.length === 0)) {
    throw tracesFailure('trace_deletion_unclear', 'Name either the traces or the time until which they are deleted')
  }
  const chosen =
    until === undefined ? sql<boolean>`id = any(${traces.map(uuidOf)}::uuid[])` : sql<boolean>`started_ms <= ${until}`
  const { rows } = await sql<{ id: string }>`
    select id from traces.trace where experiment = ${Number(experiment)} and ${chosen}
    order by started_ms, id limit ${limit} for update
  `.execute(ctx.db)
  const ids = rows.map(({ id }) => id)
  // Once their traces are locked, none is added.
  const { rows: attachments } = await sql<{ digest: string; size: number }>`
    delete from traces.attachment where trace = any(${ids}::uuid[]) returning digest, size
  `.execute(ctx.db)
  await releaseObjects(ctx, attachments)
  await sql`delete from traces.trace where id = any(${ids}::uuid[])`.execute(ctx.db)
  ctx.entry.subject('experiment', experiment)
  for (const { id } of rows.slice(0, 100)) ctx.entry.subject('trace', prefixed('tr', id))
  ctx.entry.facts({ deleted: rows.length, ...(until !== undefined && { until }) })
  return { deleted: rows.length }
})
