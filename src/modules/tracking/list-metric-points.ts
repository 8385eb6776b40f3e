import { handle } from '#platform/context.ts'
import { decodeCursor, encodeCursor } from '#platform/names.ts'
import * as contract from './contract.ts'
import { pointAt } from './metric-columns.ts'
import { readPoints } from './read-points.ts'
import { metricValueOf, requireRun } from './tables.ts'

export const listMetricPoints = handle(contract.listMetricPoints, async (ctx, { run, key, limit, cursor }) => {
  await requireRun(ctx.db, run)
  const [step, timestamp, value] = decodeCursor(cursor, 3) ?? []
  const after =
    step === undefined ? undefined : { step: Number(step), timestamp: Number(timestamp), value: Number(value) }
  const { points, more } = await readPoints(ctx.db, { run, key, after, limit })
  const items = Array.from(points.steps, (_, at) => {
    const point = pointAt(points, at)
    return { key, ...point, value: metricValueOf(point.value) }
  })
  const last = items.at(-1)
  return {
    items,
    nextCursor: more && last !== undefined ? encodeCursor([last.step, last.timestamp, String(last.value)]) : null,
  }
})
