import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import type { RunDataset, RunModel, TrackingRun } from './contract.ts'
import { loggedModelId, type MetricRow, metricOf, type RunRow } from './tables.ts'

type OfRun<T> = T & { run: string }

/** Everything that is known of these runs, in four questions however many they are. */
export async function describeRuns(db: Db, runs: readonly RunRow[]): Promise<TrackingRun[]> {
  const ids = runs.map((run) => run.id)
  const params = await sql<OfRun<{ key: string; value: string }>>`
    select run, key, value from tracking.param where run = any(${ids}::uuid[]) order by key
  `.execute(db)
  const metrics = await sql<MetricRow>`
    select run, key, step, timestamp, value, null as logged_model
    from tracking.latest_metric where run = any(${ids}::uuid[]) order by key
  `.execute(db)
  const datasets = await sql<OfRun<RunDataset>>`
    select run, name, digest, source_type as "sourceType", source, schema, profile, tags
    from tracking.run_dataset where run = any(${ids}::uuid[]) order by name, digest
  `.execute(db)
  const models = await sql<OfRun<Pick<RunModel, 'direction' | 'step'> & { logged_model: string }>>`
    select run, logged_model, direction, step
    from tracking.run_model where run = any(${ids}::uuid[]) order by direction, step, logged_model
  `.execute(db)
  const paramsOf = Map.groupBy(params.rows, (row) => row.run)
  const metricsOf = Map.groupBy(metrics.rows, (row) => row.run)
  const datasetsOf = Map.groupBy(datasets.rows, (row) => row.run)
  const modelsOf = Map.groupBy(models.rows, (row) => row.run)
  return runs.map((run) => ({
    run: run.id,
    experiment: String(run.experiment),
    name: run.name,
    status: run.status,
    state: run.state,
    startedAt: run.started_at,
    endedAt: run.ended_at,
    author: run.author,
    tags: run.tags,
    params: Object.fromEntries((paramsOf.get(run.id) ?? []).map(({ key, value }) => [key, value])),
    metrics: (metricsOf.get(run.id) ?? []).map(metricOf),
    datasets: datasetsOf.get(run.id) ?? [],
    models: (modelsOf.get(run.id) ?? []).map(({ logged_model, direction, step }) => ({
      loggedModel: loggedModelId(logged_model),
      direction,
      step,
    })),
  }))
}

export async function describeRun(db: Db, run: RunRow): Promise<TrackingRun> {
  const [described] = await describeRuns(db, [run])
  if (described === undefined) throw new Error('each run is described')
  return described
}
