import { type RawBuilder, sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import type { MetricValue, RunDataset, RunModel, TrackingRun } from './contract.ts'
import { loggedModelId, type RunRow } from './tables.ts'

type OfRun<T> = T & { run: string }
/** Key, value, step and timestamp; then the lowest and the highest value where they are not this one. */
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
  const [params, metrics] = [wanted('params'), wanted('metrics')]
  const values = await ask<{ params: Record<string, string> | null; metrics: MetricCells[] | null }>(
    db,
    sql`
      select run, ${valuesOf(params, sql`json_object_agg(key, value)`, sql`tracking.param`)} as params,
             ${valuesOf(metrics, metricCells, sql`tracking.run_metric`)} as metrics
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
    params: values.get(run.id)?.[0]?.params ?? {},
    metrics: (values.get(run.id)?.[0]?.metrics ?? []).map(metricOfCells),
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

// JSON has no NaN and no infinities: PostgreSQL writes them as texts, and so does Pave.
const metricCells = sql`
  json_agg(json_build_array(key, value, step, timestamp, nullif(lowest, value), nullif(highest, value)))
`

function metricOfCells([key, value, step, timestamp, lowest, highest]: MetricCells): TrackingRun['metrics'][number] {
  // One that was never a number has no lowest and no highest.
  const own = value === 'NaN' ? null : value
  return { key, value, step, timestamp, lowest: lowest ?? own, highest: highest ?? own }
}
