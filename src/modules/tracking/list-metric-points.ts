import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type MetricRow, metricOf, requireRun } from './tables.ts'

export const listMetricPoints = handle(contract.listMetricPoints, async (ctx, { run, key, limit, cursor }) => {
  await requireRun(ctx.db, run)
  const after = decodeCursor(cursor, 3)
  const [step = 0, timestamp = 0, value = 0] = after ?? []
  const { rows } = await sql<MetricRow>`
    select run, key, step, timestamp, value, null as logged_model from tracking.metric_point
    where run = ${run} and key = ${key}
      and (${after === undefined} or (step, timestamp, value) > (${step}::bigint, ${timestamp}::bigint, ${value}::float8))
    order by step, timestamp, value
    limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, metricOf, (row) => [row.step, row.timestamp, String(row.value)])
})
