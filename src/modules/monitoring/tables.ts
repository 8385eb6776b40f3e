import { sql } from 'kysely'
import { failure } from '#platform/errors.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { errors, type Finding, type MonitorSpec } from './contract.ts'

export const monitoringFailure = failure(errors)

export interface MonitorRow {
  environment: string
  name: string
  spec: MonitorSpec
  updated_at: string
  evaluated_at: string | null
}

export const monitorOf = (row: MonitorRow) => ({
  environment: row.environment,
  monitor: row.name,
  spec: row.spec,
  updatedAt: row.updated_at,
  evaluatedAt: row.evaluated_at,
})

export async function findMonitor(db: Db, environment: string, name: string): Promise<MonitorRow | undefined> {
  const { rows } = await sql<MonitorRow>`
    select environment, name, spec, updated_at, evaluated_at from monitoring.monitor
    where environment = ${environment} and name = ${name}
  `.execute(db)
  return rows[0]
}

export interface FindingRow {
  id: string
  environment: string
  monitor: string
  endpoint: string
  kind: Finding['kind']
  feature: string | null
  version: string
  value: number
  threshold: number
  severity: Finding['severity']
  state: Finding['state']
  since: string
  raised_at: string
  last_seen_at: string
  resolved_at: string | null
  run: string | null
}

export function findingOf(row: FindingRow): Finding {
  const { id, raised_at, last_seen_at, resolved_at, ...same } = row
  return { finding: id, ...same, raisedAt: raised_at, lastSeenAt: last_seen_at, resolvedAt: resolved_at }
}

export const findingColumns = sql.raw(`id, environment, monitor, endpoint, kind, feature, version, value, threshold,
  severity, state, since, raised_at, last_seen_at, resolved_at, run`)

export async function requireFinding(db: Db, id: string): Promise<FindingRow> {
  const { rows } = await sql<FindingRow>`
    select ${findingColumns} from monitoring.finding where id = ${id}
  `.execute(db)
  const [row] = rows
  if (row === undefined) throw monitoringFailure('finding_not_found', `There is no finding ${id}`)
  return row
}
