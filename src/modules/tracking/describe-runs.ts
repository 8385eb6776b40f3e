import { type RawBuilder, sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import type { MetricValue, RunDataset, RunModel, RunTexts, TrackingRun } from './contract.ts'
import { loggedModelId, type RunRow } from './tables.ts'

type OfRun<T> = T & { run: string }
/** Key, value, step and timestamp; then the lowest and the highest value where they are not this one. */
type MetricCells = [string, MetricValue, number, number, MetricValue | null, MetricValue | null]

/** What is known of these runs, or the fields that are asked for. */
export async function describeRuns(
  db: Db,
  runs: readonly RunRow[],
  fields?: readonly string[],
): Promise<TrackingRun[]> {
  const found = await readRuns<Record<string, string>, MetricCells[]>(db, runs, wantedOf(fields), {
    params: sql`json_object_agg(key, value)`,
    // JSON has no NaN and no infinities: PostgreSQL writes them as texts, and so does Pave.
    metrics: sql`json_agg(json_build_array(key, value, step, timestamp, nullif(lowest, value), nullif(highest, value)))`,
  })
  return found.map(({ params, metrics, ...run }) => ({
    ...run,
    params: params ?? {},
    metrics: (metrics ?? []).map(metricOfCells),
  }))
}

/** The same with params and metrics as PostgreSQL writes them, which nobody here looks into. */
export async function describeRunTexts(db: Db, runs: readonly RunRow[]): Promise<RunTexts[]> {
  const found = await readRuns<string, string>(db, runs, () => 'all', {
    params: sql`'[' || string_agg('{"key":' || to_json(key) || ',"value":' || to_json(value) || '}', ',') || ']'`,
    metrics: sql`
      '[' || string_agg('{"key":' || to_json(key) || ',"value":' || to_json(value) || ',"timestamp":' || timestamp || ',"step":' || step || '}', ',') || ']'
    `,
  })
  return found.map((run) => ({ ...run, params: run.params ?? '[]', metrics: run.metrics ?? '[]' }))
}

/**
 * In at most three questions however many the runs are. Params and metrics come as one value for each run: reading a row for
 * each of them would cost several times as much.
 */
async function readRuns<Params, Metrics>(
  db: Db,
  runs: readonly RunRow[],
  wanted: (kind: string) => Wanted,
  values: Record<'params' | 'metrics', RawBuilder<unknown>>,
) {
  const ids = sql`any(${runs.map((run) => run.id)}::uuid[])`
  const [params, metrics] = [wanted('params'), wanted('metrics')]
  const own = await ask<{ params: Params | null; metrics: Metrics | null }>(
    db,
    sql`
      select run, ${valuesOf(params, values.params, sql`tracking.param`)} as params,
             ${valuesOf(metrics, values.metrics, sql`tracking.run_metric`)} as metrics
      from unnest(${runs.map((run) => run.id)}::uuid[]) as asked (run)
    `,
    isWanted(params) || isWanted(metrics),
  )
  const datasets = await ask<RunDataset>(
    db,
    sql`
    select run, name, digest, source_type as "sourceType", source, schema, profile, tags
    from tracking.run_dataset where run = ${ids} order by name, digest
  `,
    isWanted(wanted('datasets')),
  )
  const models = await ask<Pick<RunModel, 'direction' | 'step'> & { logged_model: string }>(
    db,
    sql`
    select run, logged_model, direction, step
    from tracking.run_model where run = ${ids} order by direction, step, logged_model
  `,
    isWanted(wanted('models')),
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
    params: own.get(run.id)?.[0]?.params,
    metrics: own.get(run.id)?.[0]?.metrics,
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

function isWanted(wanted: Wanted): boolean {
  return wanted === 'all' || wanted.size > 0
}

/** The rows by run; nothing is asked when nothing is wanted. */
async function ask<Row>(db: Db, question: RawBuilder<unknown>, isWanted: boolean): Promise<Map<string, OfRun<Row>[]>> {
  if (!isWanted) return new Map()
  const { rows } = await sql<OfRun<Row>>`${question}`.execute(db)
  return Map.groupBy(rows, (row) => row.run)
}

/** Looked up for one run after the other: the first are on their way here while the last are still read. */
function valuesOf(wanted: Wanted, value: RawBuilder<unknown>, table: RawBuilder<unknown>): RawBuilder<unknown> {
  if (!isWanted(wanted)) return sql`null`
  const keys = wanted === 'all' ? sql`` : sql`and key = any(${[...wanted]}::text[])`
  return sql`(
    select ${value} from (
      select * from ${table} where ${table}.run = asked.run ${keys} order by key
    ) own
  )`
}

function metricOfCells([key, value, step, timestamp, lowest, highest]: MetricCells): TrackingRun['metrics'][number] {
  // One that was never a number has no lowest and no highest.
  const own = value === 'NaN' ? null : value
  return { key, value, step, timestamp, lowest: lowest ?? own, highest: highest ?? own }
}
