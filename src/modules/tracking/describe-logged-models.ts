import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import type { LoggedModel } from './contract.ts'
import { loggedModelId, type MetricRow, metricOf, trackingFailure, uuidOfLoggedModel } from './tables.ts'

export interface LoggedModelRow {
  id: string
  experiment: number
  run: string | null
  name: string
  type: string
  status: LoggedModel['status']
  params: Record<string, string>
  tags: Record<string, string>
  created_at: string
  updated_at: string
}

export const loggedModelColumns = sql`id, experiment, run, name, type, status, params, tags, created_at, updated_at`

export async function requireLoggedModel(db: Db, id: string): Promise<LoggedModelRow> {
  const { rows } = await sql<LoggedModelRow>`
    select ${loggedModelColumns} from tracking.logged_model where id = ${uuidOfLoggedModel(id)} and removed_at is null
  `.execute(db)
  const [row] = rows
  if (row === undefined) throw trackingFailure('logged_model_not_found', `There is no logged model ${id}`)
  return row
}

export async function describeLoggedModels(db: Db, models: readonly LoggedModelRow[]): Promise<LoggedModel[]> {
  const { rows } = await sql<MetricRow & { logged_model: string; dataset_name: string; dataset_digest: string }>`
    select run, key, step, timestamp, value, logged_model, dataset_name, dataset_digest
    from tracking.model_metric where logged_model = any(${models.map((model) => model.id)}::uuid[])
    order by logged_model, run, key, dataset_name, dataset_digest
  `.execute(db)
  const metricsOf = Map.groupBy(rows, (row) => row.logged_model)
  return models.map((row) => ({
    loggedModel: loggedModelId(row.id),
    experiment: String(row.experiment),
    name: row.name,
    type: row.type,
    status: row.status,
    run: row.run,
    params: row.params,
    tags: row.tags,
    metrics: (metricsOf.get(row.id) ?? []).map((metric) => ({
      ...metricOf(metric),
      run: metric.run,
      dataset: metric.dataset_name === '' ? null : { name: metric.dataset_name, digest: metric.dataset_digest },
    })),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }))
}

export async function describeLoggedModel(db: Db, model: LoggedModelRow): Promise<LoggedModel> {
  const [described] = await describeLoggedModels(db, [model])
  if (described === undefined) throw new Error('each logged model is described')
  return described
}
