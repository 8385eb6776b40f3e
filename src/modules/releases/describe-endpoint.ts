import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import type { Endpoint } from './contract.ts'
import {
  type EndpointRow,
  generationsOf,
  nodesOf,
  type ReleaseRow,
  releaseOf,
  runningRelease,
  trafficOf,
} from './tables.ts'

/** An endpoint with all that people ask of it: who gets what share, the release under way, which nodes follow. */
export async function describeEndpoint(db: Db, row: EndpointRow): Promise<Endpoint> {
  const running = await runningRelease(db, row.environment, row.name)
  const release = running ?? (await lastRelease(db, row.release))
  const generations = await generationsOf(db, [row.environment])
  return {
    environment: row.environment,
    endpoint: row.name,
    spec: row.spec,
    version: row.version,
    release: release === undefined ? null : await releaseOf(db, release),
    traffic: trafficOf(row.version, running),
    generation: generations.get(row.environment) ?? null,
    nodes: await nodesOf(db, [row.environment]),
  }
}

async function lastRelease(db: Db, id: string | null): Promise<ReleaseRow | undefined> {
  const { rows } = await sql<ReleaseRow>`select * from releases.release where id = ${id}`.execute(db)
  return rows[0]
}
