import { sql } from 'kysely'
import { failure } from '#platform/errors.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { errors, type Incident } from './contract.ts'

export const incidentsFailure = failure(errors)

export interface IncidentRow {
  id: string
  number: number
  title: string
  severity: Incident['severity']
  state: Incident['state']
  environment: string | null
  endpoint: string | null
  cause: Incident['cause']
  subjects: Incident['subjects']
  mitigated_at: string | null
  opened_at: string
  resolved_at: string | null
  resolution: string | null
}

export const incidentColumns = sql.raw(`id, number, title, severity, state, environment, endpoint, cause, subjects,
  mitigated_at, opened_at, resolved_at, resolution`)

export function incidentOf({ number, mitigated_at, opened_at, resolved_at, ...same }: IncidentRow): Incident {
  return {
    incident: `INC-${number}`,
    ...same,
    mitigatedAt: mitigated_at,
    openedAt: opened_at,
    resolvedAt: resolved_at,
  }
}

/** By the name that people use or by its id; `incident_not_found` when there is none. */
export async function requireIncident(db: Db, name: string): Promise<IncidentRow> {
  const { rows } = await sql<IncidentRow>`
    select ${incidentColumns} from incidents.incident
    where ${name.startsWith('INC-') ? sql`number = ${Number(name.slice('INC-'.length))}` : sql`id = ${name}`}
  `.execute(db)
  const [row] = rows
  if (row === undefined) throw incidentsFailure('incident_not_found', `There is no incident ${name}`)
  return row
}

/** Names of an endpoint's open incidents that were opened by a time and whose harm may go on. */
export async function unmitigatedIncidents(
  db: Db,
  environment: string,
  endpoint: string,
  by: string,
): Promise<string[]> {
  const { rows } = await sql<{ number: number }>`
    select number from incidents.incident
    where environment = ${environment} and endpoint = ${endpoint} and state = 'open' and mitigated_at is null
      and opened_at <= ${by} order by number
  `.execute(db)
  return rows.map((row) => `INC-${row.number}`)
}
