import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type MetricRow, metricOf, requireRun } from './tables.ts'

const noModel = '00000000-0000-0000-0000-000000000000'

export const listMetricPoints = handle(contract.listMetricPoints, async (ctx, { run, key, limit, cursor }) => {
  await requireRun(ctx.db, run)
  const after = decodeCursor(cursor, 4)
  const [step = 0, timestamp = 0, value = 0, model = noModel] = after ?? []
  const { rows } = await sql<MetricRow>`
    select run, key, step, timestamp, value, logged_model from tracking.metric_point
    where run = ${run} and key = ${key}
      and (${after === undefined} or (step, timestamp, value, coalesce(logged_model, ${noModel}::uuid))
           > (${step}::bigint, ${timestamp}::bigint, ${value}::float8, ${model}::uuid))
    order by step, timestamp, value, coalesce(logged_model, ${noModel}::uuid)
    limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, metricOf, (row) => [
    row.step,
    row.timestamp,
    String(row.value),
    row.logged_model ?? noModel,
  ])
})
