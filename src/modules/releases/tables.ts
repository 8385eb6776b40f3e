import { sql } from 'kysely'
import { failure } from '#platform/errors.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { type EndpointSpec, errors, type Release, type Strategy, type Verdict } from './contract.ts'

export const releasesFailure = failure(errors)

export interface EndpointRow {
  environment: string
  name: string
  spec: EndpointSpec
  salt: string
  version: string | null
  release: string | null
}

export interface ReleaseRow {
  id: string
  environment: string
  endpoint: string
  version: string
  previous: string | null
  state: Release['state']
  step: number | null
  weight: number
  strategy: Strategy
  /** Event time up to which predictions had been seen when it began. */
  watermark: string | null
  /** Rows of the candidate that had been counted when the current step began. */
  step_rows: number
  started_by: string
  started_at: string
  ended_at: string | null
  reason: string | null
  verdicts: Verdict[]
  history: Release['history']
}

export async function findEndpoint(db: Db, environment: string, name: string, lock = false): Promise<EndpointRow> {
  const { rows } = await sql<EndpointRow>`
    select environment, name, spec, salt, version, release from releases.endpoint
    where environment = ${environment} and name = ${name} ${lock ? sql`for update` : sql``}
  `.execute(db)
  if (rows[0] === undefined) {
    throw releasesFailure('endpoint_not_found', `The environment ${environment} has no endpoint ${name}`)
  }
  return rows[0]
}

export async function runningRelease(db: Db, environment: string, endpoint: string): Promise<ReleaseRow | undefined> {
  const { rows } = await sql<ReleaseRow>`
    select * from releases.release
    where environment = ${environment} and endpoint = ${endpoint} and state in ('shadow', 'canary')
  `.execute(db)
  return rows[0]
}

export async function findRelease(db: Db, id: string, lock = false): Promise<ReleaseRow> {
  const { rows } = await sql<ReleaseRow>`
    select * from releases.release where id = ${id} ${lock ? sql`for update` : sql``}
  `.execute(db)
  if (rows[0] === undefined) throw releasesFailure('release_not_found', `There is no release ${id}`)
  return rows[0]
}

export function releaseOf(row: ReleaseRow): Release {
  return {
    id: row.id,
    environment: row.environment,
    endpoint: row.endpoint,
    version: row.version,
    previous: row.previous,
    state: row.state,
    step: row.step,
    weight: row.weight,
    startedBy: row.started_by,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    reason: row.reason,
    verdicts: row.verdicts,
    history: row.history,
  }
}
