import { type RawBuilder, sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import type { MetricValue, RunDataset, RunModel, TrackingRun } from './contract.ts'
import { loggedModelId, type RunRow } from './tables.ts'

type OfRun<T> = T & { run: string }
type MetricCells = [string, MetricValue, number, number, MetricValue | null, MetricValue | null]

/**
 * What is known of these runs, or the fields that are asked for, in at most four questions however many the runs are.
 * Params and metrics come as one JSON text for each run: reading a row for each value would cost several times as much.
 */
export async function describeRuns(
  db: Db,
  runs: readonly RunRow[],
  fields?: readonly string[],
): Promise<TrackingRun[]> {
  const ids = sql`any(${runs.map((run) => run.id)}::uuid[])`
  const wanted = wantedOf(fields)
  const params = await ask<{ params: Record<string, string> }>(
    db,
    wanted('params'),
    (keys) => sql`
    select run, json_object_agg(key, value order by key) as params
    from tracking.param where run = ${ids} ${keys} group by run
  `,
  )
  // JSON has no NaN and no infinities: PostgreSQL writes them as texts, and so does Pave.
  const metrics = await ask<{ metrics: MetricCells[] }>(
    db,
    wanted('metrics'),
    (keys) => sql`
    select run, json_agg(json_build_array(key, value, step, timestamp, lowest, highest) order by key) as metrics
    from tracking.run_metric where run = ${ids} ${keys} group by run
  `,
  )
  const datasets = await ask<RunDataset>(
    db,
    wanted('datasets'),
    () => sql`
    select run, name, digest, source_type as "sourceType", source, schema, profile, tags
    from tracking.run_dataset where run = ${ids} order by name, digest
  `,
  )
  const models = await ask<Pick<RunModel, 'direction' | 'step'> & { logged_model: string }>(
    db,
    wanted('models'),
    () => sql`
    select run, logged_model, direction, step
    from tracking.run_model where run = ${ids} order by direction, step, logged_model
  `,
  )
  const tags = wanted('tags')
  return runs.map((run) => ({
    run: run.id,
    experiment: String(run.experiment),
    name: run.name,
    status: run.status,
    state: run.state,
    startedAt: run.started_at,
    endedAt: run.ended_at,
    author: run.author,
    tags: tags === 'all' ? run.tags : Object.fromEntries(Object.entries(run.tags).filter(([key]) => tags.has(key))),
    params: params.get(run.id)?.[0]?.params ?? {},
    metrics: (metrics.get(run.id)?.[0]?.metrics ?? []).map(([key, value, step, timestamp, lowest, highest]) => ({
      key,
      value,
      step,
      timestamp,
      lowest,
      highest,
    })),
    datasets: datasets.get(run.id) ?? [],
    models: (models.get(run.id) ?? []).map(({ logged_model, direction, step }) => ({
      loggedModel: loggedModelId(logged_model),
      direction,
      step,
    })),
  }))
}

export async function describeRun(db: Db, run: RunRow, fields?: readonly string[]): Promise<TrackingRun> {
  const [described] = await describeRuns(db, [run], fields)
  if (described === undefined) throw new Error('each run is described')
  return described
}

type Wanted = 'all' | ReadonlySet<string>

/** `metrics` wants all of a kind, `metrics.auc` one key of it. */
function wantedOf(fields: readonly string[] | undefined): (kind: string) => Wanted {
  return (kind) => {
    if (fields === undefined || fields.includes(kind)) return 'all'
    return new Set(fields.flatMap((field) => (field.startsWith(`${kind}.`) ? [field.slice(kind.length + 1)] : [])))
  }
}

/** The rows by run; nothing is asked when nothing is wanted. */
async function ask<Row>(
  db: Db,
  wanted: Wanted,
  question: (keys: RawBuilder<unknown>) => RawBuilder<unknown>,
): Promise<Map<string, OfRun<Row>[]>> {
  if (wanted !== 'all' && wanted.size === 0) return new Map()
  const keys = wanted === 'all' ? sql`` : sql`and key = any(${[...wanted]}::text[])`
  const { rows } = await sql<OfRun<Row>>`${question(keys)}`.execute(db)
  return Map.groupBy(rows, (row) => row.run)
}
