import { sql } from 'kysely'
import type { OperationContext } from '#platform/context.ts'
import { type Columns, decodeColumn, encodeColumn, mergeColumns, sliceColumns } from './metric-columns.ts'

/** Batches of one run that wait, and points in them, before they are packed: what the reader of one key may have to look through. */
export const mostBatches = 256
export const mostWaitingPoints = 65_536

/** Points of a full chunk. A pack rewrites no more than this for each key, however long its history is. */
const fullChunk = 1024

interface ColumnRow {
  steps: Buffer
  timestamps: Buffer
  values: Buffer
}
type BatchRow = ColumnRow & { keys: string[]; ends: number[] }
type ChunkRow = ColumnRow & { key: string }

/**
 * Makes the waiting batches of a run into chunks by key, in the transaction that logged the last of them. The newest
 * chunk of a key is filled up first, so that somebody who logs one point at a time gets full chunks too.
 */
export async function packMetrics(ctx: OperationContext, run: string): Promise<void> {
  const lock = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended('tracking.pack-metrics ' || ${run}, 0)) as taken
  `.execute(ctx.db)
  // Somebody else packs this run; what is left over, the next one takes.
  if (lock.rows[0]?.taken !== true) return
  const { rows: batches } = await sql<BatchRow>`
    delete from tracking.metric_batch where run = ${run} returning keys, ends, steps, timestamps, values
  `.execute(ctx.db)
  const waiting = new Map<string, Columns[]>()
  for (const batch of batches) {
    const columns = columnsOfRow(batch)
    for (const [index, key] of batch.keys.entries()) {
      const part = sliceColumns(columns, batch.ends[index - 1] ?? 0, batch.ends[index] ?? 0)
      const parts = waiting.get(key)
      if (parts === undefined) waiting.set(key, [part])
      else parts.push(part)
    }
  }
  for (const chunk of await takeUnfilled(ctx, run, [...waiting.keys()])) {
    waiting.get(chunk.key)?.push(columnsOfRow(chunk))
  }
  const chunks = [...waiting].flatMap(([key, parts]) => chunksOf(mergeColumns(parts)).map((part) => ({ key, part })))
  await sql`
    insert into tracking.metric_chunk
      (workspace, run, key, id, first_step, last_step, points, steps, timestamps, values)
    select ${ctx.workspace}, ${run}, * from unnest(
      ${chunks.map(({ key }) => key)}::text[],
      ${chunks.map(() => ctx.ids.next())}::uuid[],
      ${chunks.map(({ part }) => part.steps[0] ?? 0)}::bigint[],
      ${chunks.map(({ part }) => part.steps.at(-1) ?? 0)}::bigint[],
      ${chunks.map(({ part }) => part.steps.length)}::int[],
      ${chunks.map(({ part }) => encodeColumn(part.steps))}::bytea[],
      ${chunks.map(({ part }) => encodeColumn(part.timestamps))}::bytea[],
      ${chunks.map(({ part }) => encodeColumn(part.values))}::bytea[]
    )
  `.execute(ctx.db)
}

/** The last chunk of each key, where it is not full. */
async function takeUnfilled(ctx: OperationContext, run: string, keys: readonly string[]): Promise<ChunkRow[]> {
  const { rows } = await sql<ChunkRow>`
    with last as (
      select one.key, chunk.first_step, chunk.id
      from unnest(${keys}::text[]) as one(key) cross join lateral (
        select first_step, id, points from tracking.metric_chunk chunk
        where chunk.run = ${run} and chunk.key = one.key order by first_step desc, id desc limit 1
      ) chunk
      where chunk.points < ${fullChunk}
    )
    delete from tracking.metric_chunk
    where run = ${run} and (key, first_step, id) in (select key, first_step, id from last)
    returning key, steps, timestamps, values
  `.execute(ctx.db)
  return rows
}

export function columnsOfRow({ steps, timestamps, values }: ColumnRow): Columns {
  return { steps: decodeColumn(steps), timestamps: decodeColumn(timestamps), values: decodeColumn(values) }
}

function chunksOf(columns: Columns): Columns[] {
  const count = Math.ceil(columns.steps.length / fullChunk)
  return Array.from({ length: count }, (_, index) => sliceColumns(columns, index * fullChunk, (index + 1) * fullChunk))
}
