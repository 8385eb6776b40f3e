import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import type { Db } from '#platform/storage/database/database.ts'
import * as contract from './contract.ts'
import { type Columns, columnsOf, mergeColumns, type Point, pointAt } from './metric-columns.ts'
import { readPoints } from './read-points.ts'
import { type Axis, samplePoints } from './sample-points.ts'
import { metricValueOf, trackingFailure } from './tables.ts'

/** Points that are held at a time. A longer history is sampled piece by piece, and then once more. */
const piece = 262_144
/** Reading more for one picture would keep the database busy for tens of seconds. */
const mostPoints = 20_000_000

interface Range {
  run: string
  key: string
  from: number
  to: number
}

export const sampleMetric = handle(
  contract.sampleMetric,
  async (ctx, { runs, key, points, axis, fromStep, toStep }) => {
    const series = []
    for (const run of new Set(runs)) {
      const range = { run, key, from: fromStep ?? Number.MIN_SAFE_INTEGER, to: toStep ?? Number.MAX_SAFE_INTEGER }
      await requireReadable(ctx.db, range)
      const { columns, total } = await readSample(ctx.db, range, points, axis)
      const sampled = samplePoints(columns, points, axis).map((at) => pointAt(columns, at))
      series.push({
        run,
        total,
        points: sampled.map((point) => ({ key, ...point, value: metricValueOf(point.value) })),
      })
    }
    return { series }
  },
)

async function requireReadable(db: Db, { run, key, from, to }: Range): Promise<void> {
  const { rows } = await sql<{ points: number }>`
    select coalesce(sum(points), 0)::bigint as points from tracking.metric_chunk
    where run = ${run} and key = ${key} and last_step >= ${from} and first_step <= ${to}
  `.execute(db)
  const points = rows[0]?.points ?? 0
  if (points <= mostPoints) return
  throw trackingFailure(
    'metric_history_too_long',
    `${key} has ${points} points there; ${mostPoints} can be sampled at once`,
  )
}

async function readSample(db: Db, { run, key, from, to }: Range, most: number, axis: Axis) {
  let [columns, total]: [Columns, number] = [columnsOf([]), 0]
  let after: Point | undefined = { step: from, timestamp: -Infinity, value: -Infinity }
  while (after !== undefined) {
    const { points, more }: Awaited<ReturnType<typeof readPoints>> = await readPoints(db, {
      run,
      key,
      after,
      limit: piece,
    })
    const within = upToStep(points, to)
    total += within.steps.length
    // Twice as fine as what is asked for: the buckets of a piece are not those of the whole.
    const part = more || columns.steps.length > 0 ? picked(within, samplePoints(within, most * 2, axis)) : within
    columns = mergeColumns([columns, part])
    const last = points.steps.length - 1
    after = more && within.steps.length === points.steps.length ? pointAt(points, last) : undefined
  }
  return { columns, total }
}

function upToStep({ steps, timestamps, values }: Columns, to: number): Columns {
  const past = steps.findIndex((step) => step > to)
  const end = past < 0 ? steps.length : past
  return { steps: steps.subarray(0, end), timestamps: timestamps.subarray(0, end), values: values.subarray(0, end) }
}

function picked(columns: Columns, places: readonly number[]): Columns {
  return columnsOf(places.map((at) => pointAt(columns, at)))
}
