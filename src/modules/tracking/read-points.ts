import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import { type Columns, mergeColumns, noPoints, type Point, pointsUpTo, sliceColumns } from './metric-columns.ts'
import { columnsOfRow } from './pack-metrics.ts'

interface Row {
  steps: Buffer
  timestamps: Buffer
  values: Buffer
  /** The first step of what was left unread. */
  horizon: number | null
}

/**
 * The points of one key after `after`, at least one when there are any and at most `limit`; `more` tells whether points
 * follow. One statement reads waiting batches and chunks, for a pack may turn the ones into the others at any moment.
 */
export async function readPoints(
  db: Db,
  { run, key, after, limit }: { run: string; key: string; after?: Point | undefined; limit: number },
): Promise<{ points: Columns; more: boolean }> {
  for (let budget = limit; ; budget *= 4) {
    const { rows } = await sql<Row>`
      with chunk as (
        select steps, timestamps, values, first_step,
               sum(points) over (order by first_step, id) - points as earlier
        from tracking.metric_chunk
        where run = ${run} and key = ${key} and last_step >= ${after?.step ?? Number.MIN_SAFE_INTEGER}
      ), batch as (
        select steps, timestamps, values, coalesce(ends[place - 1], 0) as begins, ends[place] as ends
        from (
          select *, array_position(keys, ${key}) as place from tracking.metric_batch where run = ${run}
        ) any_key
        where place is not null
      )
      select steps, timestamps, values, (select min(first_step) from chunk where earlier > ${budget}) as horizon
      from chunk where earlier <= ${budget}
      union all
      select substr(steps, begins * 8 + 1, (ends - begins) * 8), substr(timestamps, begins * 8 + 1, (ends - begins) * 8),
             substr(values, begins * 8 + 1, (ends - begins) * 8), null
      from batch
    `.execute(db)
    const horizon = rows.reduce((least, row) => Math.min(least, row.horizon ?? Infinity), Infinity)
    const all = rows.length === 0 ? noPoints : mergeColumns(rows.map(columnsOfRow))
    const from = after === undefined ? 0 : pointsUpTo(all, after)
    // What was left unread may have points of the horizon's step that come before those which were read.
    const known = pointsUpTo(all, { step: horizon, timestamp: -Infinity, value: -Infinity })
    const to = Math.min(known, from + limit)
    if (to > from || horizon === Infinity) {
      return { points: sliceColumns(all, from, to), more: to < all.steps.length || horizon < Infinity }
    }
  }
}
