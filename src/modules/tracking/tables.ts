import { sql } from 'kysely'
import { failure } from '#platform/errors.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { type Experiment, errors, type MetricValue, type TrackingRun } from './contract.ts'

export const trackingFailure = failure(errors)

export interface ExperimentRow {
  id: number
  name: string
  folder: string
  state: 'active' | 'deleted'
  tags: Record<string, string>
  created_at: string
  updated_at: string
}

export const experimentColumns = sql`id, name, folder, state, tags, created_at, updated_at`

export interface RunRow {
  id: string
  experiment: number
  name: string
  status: TrackingRun['status']
  state: 'active' | 'deleted'
  started_at: string
  ended_at: string | null
  author: string
  tags: Record<string, string>
}

export const runColumns = sql`id, experiment, name, status, state, started_at, ended_at, author, tags`

export interface MetricRow {
  run: string
  key: string
  step: number
  timestamp: number
  value: number
}

export function experimentOf(row: ExperimentRow): Experiment {
  return {
    experiment: String(row.id),
    name: row.name,
    folder: row.folder,
    state: row.state,
    tags: row.tags,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

export function metricOf({ key, value, step, timestamp }: MetricRow) {
  return { key, value: metricValueOf(value), step, timestamp }
}

/** How a double travels in JSON. */
export function metricValueOf(value: number): MetricValue {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return value
  return value > 0 ? 'Infinity' : '-Infinity'
}

export function loggedModelId(uuid: string): string {
  return `m-${uuid.replaceAll('-', '')}`
}

export function uuidOfLoggedModel(id: string): string {
  const hex = id.slice(2)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

export async function findExperiment(db: Db, id: number): Promise<ExperimentRow | undefined> {
  const { rows } = await sql<ExperimentRow>`
    select ${experimentColumns} from tracking.experiment where id = ${id}
  `.execute(db)
  return rows[0]
}

export async function requireRun(db: Db, id: string): Promise<RunRow> {
  return existingRun(id, await findRun(db, id))
}

/** A run that may change; `tracking_run_deleted` otherwise. */
export async function requireActiveRun(db: Db, id: string): Promise<RunRow> {
  return activeRun(id, await findRun(db, id))
}

async function findRun(db: Db, id: string): Promise<RunRow | undefined> {
  const { rows } = await sql<RunRow>`select ${runColumns} from tracking.run where id = ${id}`.execute(db)
  return rows[0]
}

function existingRun(id: string, row: RunRow | undefined): RunRow {
  if (row === undefined) throw trackingFailure('tracking_run_not_found', `There is no tracked run ${id}`)
  return row
}

export function activeRun(id: string, found: RunRow | undefined): RunRow {
  const row = existingRun(id, found)
  if (row.state === 'deleted') throw trackingFailure('tracking_run_deleted', `The tracked run ${id} is deleted`)
  return row
}

/** Every one of them exists; `logged_model_not_found` otherwise. */
export async function requireLoggedModels(db: Db, ids: Iterable<string>): Promise<void> {
  const wanted = [...new Set(ids)]
  if (wanted.length === 0) return
  const { rows } = await sql<{ id: string }>`
    select id from tracking.logged_model where id = any(${wanted.map(uuidOfLoggedModel)}::uuid[]) and removed_at is null
  `.execute(db)
  const found = new Set(rows.map((row) => loggedModelId(row.id)))
  const missing = wanted.filter((id) => !found.has(id))
  if (missing.length > 0) {
    throw trackingFailure('logged_model_not_found', `There is no logged model ${missing.join(', ')}`)
  }
}
