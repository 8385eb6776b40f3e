import { sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import type { MetricPoint } from './contract.ts'
import * as contract from './contract.ts'
import { requireActiveRun, requireLoggedModels, trackingFailure, uuidOfLoggedModel } from './tables.ts'

/** Clients send again what they do not know to have arrived, so whatever is there already is simply there. */
export const logRunData = handle(contract.logRunData, async (ctx, { run, metrics, params, tags }) => {
  await requireActiveRun(ctx.db, run)
  await requireLoggedModels(
    ctx.db,
    metrics.flatMap((point) => point.loggedModel ?? []),
  )
  const points = await insertPoints(ctx, run, metrics)
  await insertParams(ctx, run, params)
  if (Object.keys(tags).length > 0) {
    await sql`update tracking.run set tags = tags || ${JSON.stringify(tags)}::jsonb where id = ${run}`.execute(ctx.db)
  }
  ctx.entry.subject('run', run)
  ctx.entry.facts({ points, params: Object.keys(params).length, tags: Object.keys(tags).length })
  return { points }
})

async function insertPoints(ctx: OperationContext, run: string, metrics: readonly MetricPoint[]): Promise<number> {
  if (metrics.length === 0) return 0
  // PostgreSQL orders NaN last, so the largest value of one step and instant is NaN when there is one.
  const { rows } = await sql<{ points: number }>`
    with point as (
      select * from unnest(
        ${metrics.map((point) => point.key)}::text[],
        ${metrics.map((point) => point.step)}::bigint[],
        ${metrics.map((point) => point.timestamp)}::bigint[],
        ${metrics.map((point) => String(point.value))}::float8[],
        ${metrics.map((point) => (point.loggedModel === null ? null : uuidOfLoggedModel(point.loggedModel)))}::uuid[]
      ) as given(key, step, timestamp, value, logged_model)
    ), inserted as (
      insert into tracking.metric_point (workspace, run, key, step, timestamp, value)
      select ${ctx.workspace}::uuid, ${run}::uuid, key, step, timestamp, value from point
      on conflict do nothing
      returning 1
    ), measured as (
      insert into tracking.model_metric (workspace, logged_model, run, key, step, timestamp, value)
      select ${ctx.workspace}::uuid, logged_model, ${run}::uuid, key, step, timestamp, value
      from point where logged_model is not null
      on conflict do nothing
    ), latest as (
      insert into tracking.latest_metric as latest (workspace, run, key, step, timestamp, value)
      select distinct on (key) ${ctx.workspace}::uuid, ${run}::uuid, key, step, timestamp, value
      from point order by key, step desc, timestamp desc, value desc
      on conflict (workspace, run, key) do update
        set step = excluded.step, timestamp = excluded.timestamp, value = excluded.value
        where (excluded.step, excluded.timestamp, excluded.value) > (latest.step, latest.timestamp, latest.value)
    )
    select count(*)::int as points from inserted
  `.execute(ctx.db)
  return rows[0]?.points ?? 0
}

async function insertParams(ctx: OperationContext, run: string, params: Record<string, string>): Promise<void> {
  const keys = Object.keys(params)
  if (keys.length === 0) return
  await sql`
    insert into tracking.param (workspace, run, key, value)
    select ${ctx.workspace}, ${run}, * from unnest(${keys}::text[], ${Object.values(params)}::text[])
    on conflict do nothing
  `.execute(ctx.db)
  const { rows } = await sql<{ key: string; value: string }>`
    select key, value from tracking.param where run = ${run} and key = any(${keys}::text[]) order by key
  `.execute(ctx.db)
  const changed = rows.filter((row) => row.value !== params[row.key])
  if (changed.length === 0) return
  throw trackingFailure(
    'param_changed',
    changed.map(({ key, value }) => `The parameter ${key} is ${value} already, not ${params[key]}`).join('; '),
  )
}
