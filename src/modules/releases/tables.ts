import { sql } from 'kysely'
import { principalNames } from '#modules/identity/queries.ts'
import { failure } from '#platform/errors.ts'
import { decodeCursor } from '#platform/names.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { type EndpointSpec, errors, type NodeStatus, type Release, type Strategy, type Verdict } from './contract.ts'

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
  note: string
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

/** Releases as people read them, with the names of those who started them. */
export async function releasesOf(db: Db, rows: readonly ReleaseRow[]): Promise<Release[]> {
  const names = await principalNames(db, [...new Set(rows.map((row) => row.started_by))])
  return rows.map((row) => ({
    id: row.id,
    environment: row.environment,
    endpoint: row.endpoint,
    version: row.version,
    previous: row.previous,
    state: row.state,
    step: row.step,
    weight: row.weight,
    strategy: row.strategy,
    startedBy: row.started_by,
    startedByName: names.get(row.started_by) ?? null,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    note: row.note,
    reason: row.reason,
    verdicts: row.verdicts,
    history: row.history,
  }))
}

export async function releaseOf(db: Db, row: ReleaseRow): Promise<Release> {
  const [release] = await releasesOf(db, [row])
  if (release === undefined) throw new Error('a row makes a release')
  return release
}

/** What every node of some environments said last. */
export async function nodesOf(db: Db, environments: readonly string[]): Promise<NodeStatus[]> {
  const { rows } = await sql<NodeStatus>`
    select node, environment, generation, failed, overrides, applied_at as "appliedAt", reported_at as "reportedAt"
    from releases.node where environment = any(${[...environments]}) order by environment, node
  `.execute(db)
  return rows
}

/** Generations of the serving plans of some environments. */
export async function generationsOf(db: Db, environments: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql<{ environment: string; generation: number }>`
    select environment, generation from releases.plan where environment = any(${[...environments]})
  `.execute(db)
  return new Map(rows.map((row) => [row.environment, row.generation]))
}

/** Endpoints in the order of their names, one more than the limit. */
export async function pageOfEndpoints(
  db: Db,
  { limit, cursor, search }: { limit: number; cursor?: string | undefined; search?: string | undefined },
): Promise<EndpointRow[]> {
  const [environment, name] = decodeCursor(cursor, 2) ?? ['', '']
  const text = search?.toLowerCase() ?? ''
  const { rows } = await sql<EndpointRow>`
    select environment, name, spec, salt, version, release from releases.endpoint
    where (environment, name) > (${environment}, ${name})
      and (${text} = '' or strpos(environment || '/' || name || ' ' || (spec ->> 'model') || ' ' || coalesce(version, ''), ${text}) > 0)
    order by environment, name limit ${limit + 1}
  `.execute(db)
  return rows
}

export const trafficOf = (
  version: string | null,
  running: Pick<ReleaseRow, 'version' | 'state' | 'weight'> | undefined,
): { version: string; variant: string; weight: number }[] => {
  const share = running?.state === 'canary' ? running.weight : 0
  return [
    ...(version === null ? [] : [{ version, variant: 'primary', weight: 10_000 - share }]),
    ...(running === undefined
      ? []
      : [{ version: running.version, variant: running.state === 'shadow' ? 'shadow' : 'canary', weight: share }]),
  ]
}
