import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { OperationContext } from '#platform/context.ts'
import type { MetricPoint } from './contract.ts'
import { type Columns, columnsOf, encodeColumn, type Point, pointAt } from './metric-columns.ts'
import { mostBatches, mostWaitingPoints, packMetrics } from './pack-metrics.ts'
import { uuidOfLoggedModel } from './tables.ts'

/** What a batch says of one key. */
interface KeySummary {
  key: string
  columns: Columns
  latest: Point
  lowest: number | null
  highest: number | null
}

const isLater = sql`(excluded.step, excluded.timestamp, excluded.value) > (noted.step, noted.timestamp, noted.value)`

/**
 * Appends the points as one row, whatever was logged before. The same batch again changes nothing, and answers 0;
 * single points that were there before are left out when they are read.
 */
export async function logMetrics(
  ctx: OperationContext,
  { run, experiment }: { run: string; experiment: number },
  metrics: readonly MetricPoint[],
): Promise<number> {
  if (metrics.length === 0) return 0
  const byKey = Map.groupBy(metrics, (point) => point.key)
  const keys = [...byKey].map(([key, points]) => summarise(key, points)).sort((a, b) => (a.key < b.key ? -1 : 1))
  const batch = batchOf(keys)
  // Rows are written in the order of their keys, so that two batches at once do not wait for each other.
  const { rows } = await sql<{ appended: boolean; batches: number; points: number }>`
    with appended as (
      insert into tracking.metric_batch (workspace, run, digest, keys, ends, points, steps, timestamps, values)
      values (${ctx.workspace}, ${run}, ${batch.digest}, ${batch.keys}, ${batch.ends}, ${batch.points},
              ${batch.steps}, ${batch.timestamps}, ${batch.values})
      on conflict (workspace, run, digest) do nothing
      returning points
    ), noted as (
      insert into tracking.run_metric as noted
        (workspace, run, key, experiment, step, timestamp, value, lowest, highest)
      select ${ctx.workspace}::uuid, ${run}::uuid, key, ${experiment}::int, step, timestamp, value, lowest, highest
      from appended, unnest(
        ${batch.keys}::text[],
        ${keys.map(({ latest }) => latest.step)}::bigint[],
        ${keys.map(({ latest }) => latest.timestamp)}::bigint[],
        ${keys.map(({ latest }) => String(latest.value))}::float8[],
        ${keys.map(({ lowest }) => lowest)}::float8[],
        ${keys.map(({ highest }) => highest)}::float8[]
      ) as given(key, step, timestamp, value, lowest, highest)
      on conflict (workspace, run, key) do update set
        step = case when ${isLater} then excluded.step else noted.step end,
        timestamp = case when ${isLater} then excluded.timestamp else noted.timestamp end,
        value = case when ${isLater} then excluded.value else noted.value end,
        lowest = least(noted.lowest, excluded.lowest),
        highest = greatest(noted.highest, excluded.highest)
      where ${isLater}
        or least(noted.lowest, excluded.lowest) is distinct from noted.lowest
        or greatest(noted.highest, excluded.highest) is distinct from noted.highest
    )
    select exists (select from appended) as appended, count(*) as batches, coalesce(sum(points), 0)::bigint as points
    from tracking.metric_batch where run = ${run}
  `.execute(ctx.db)
  await noteModelMetrics(ctx, run, metrics)
  const [before] = rows
  if (before?.appended !== true) return 0
  const [batches, points] = [before.batches + 1, before.points + batch.points]
  if (batches >= mostBatches || points >= mostWaitingPoints) await packMetrics(ctx, run)
  return batch.points
}

function summarise(key: string, given: readonly MetricPoint[]): KeySummary {
  const columns = columnsOf(given.map((point) => ({ ...point, value: Number(point.value) })))
  const numbers = columns.values.filter((value) => !Number.isNaN(value))
  return {
    key,
    columns,
    latest: pointAt(columns, columns.steps.length - 1),
    lowest: numbers.length === 0 ? null : numbers.reduce((a, b) => Math.min(a, b)),
    highest: numbers.length === 0 ? null : numbers.reduce((a, b) => Math.max(a, b)),
  }
}

/** The keys' columns one after the other; `ends` says where each key's end. */
function batchOf(keys: readonly KeySummary[]) {
  const ends: number[] = []
  let points = 0
  for (const { columns } of keys) {
    points += columns.steps.length
    ends.push(points)
  }
  const column = (name: keyof Columns) => {
    const all = new Float64Array(points)
    for (const [index, { columns }] of keys.entries()) all.set(columns[name], ends[index - 1] ?? 0)
    return encodeColumn(all)
  }
  const batch = {
    keys: keys.map(({ key }) => key),
    ends,
    points,
    steps: column('steps'),
    timestamps: column('timestamps'),
    values: column('values'),
  }
  const digest = createHash('sha256').update(JSON.stringify([batch.keys, ends]))
  digest.update(batch.steps).update(batch.timestamps).update(batch.values)
  return { ...batch, digest: digest.digest() }
}

async function noteModelMetrics(ctx: OperationContext, run: string, metrics: readonly MetricPoint[]): Promise<void> {
  const measured = metrics.flatMap((point) =>
    point.loggedModel === null ? [] : [{ ...point, model: uuidOfLoggedModel(point.loggedModel) }],
  )
  if (measured.length === 0) return
  await sql`
    insert into tracking.model_metric as noted
      (workspace, logged_model, run, key, dataset_name, dataset_digest, step, timestamp, value)
    select distinct on (logged_model, key, dataset_name, dataset_digest)
           ${ctx.workspace}::uuid, logged_model, ${run}::uuid, key, dataset_name, dataset_digest, step, timestamp, value
    from unnest(
      ${measured.map(({ model }) => model)}::uuid[],
      ${measured.map(({ key }) => key)}::text[],
      ${measured.map(({ dataset }) => dataset?.name ?? '')}::text[],
      ${measured.map(({ dataset }) => dataset?.digest ?? '')}::text[],
      ${measured.map(({ step }) => step)}::bigint[],
      ${measured.map(({ timestamp }) => timestamp)}::bigint[],
      ${measured.map(({ value }) => String(value))}::float8[]
    ) as given(logged_model, key, dataset_name, dataset_digest, step, timestamp, value)
    order by logged_model, key, dataset_name, dataset_digest, step desc, timestamp desc, value desc
    on conflict (workspace, logged_model, run, key, dataset_name, dataset_digest) do update
      set step = excluded.step, timestamp = excluded.timestamp, value = excluded.value
      where (excluded.step, excluded.timestamp, excluded.value) > (noted.step, noted.timestamp, noted.value)
  `.execute(ctx.db)
}
