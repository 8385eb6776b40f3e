import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import type { Endpoint } from './contract.ts'
import { type EndpointRow, type ReleaseRow, releaseOf, runningRelease } from './tables.ts'

/** An endpoint with all that people ask of it: who gets what share, the release under way, which nodes follow. */
export async function describeEndpoint(db: Db, row: EndpointRow): Promise<Endpoint> {
  const running = await runningRelease(db, row.environment, row.name)
  const release = running ?? (await lastRelease(db, row.release))
  const plan = await sql<{ generation: number }>`
    select generation from releases.plan where environment = ${row.environment}
  `.execute(db)
  const nodes = await sql<{
    node: string
    environment: string
    generation: number
    failed: Endpoint['nodes'][number]['failed']
    applied_at: string
    reported_at: string
  }>`select * from releases.node where environment = ${row.environment} order by node`.execute(db)
  const share = running?.state === 'canary' ? running.weight : 0
  return {
    environment: row.environment,
    endpoint: row.name,
    spec: row.spec,
    version: row.version,
    release: release === undefined ? null : releaseOf(release),
    traffic: [
      ...(row.version === null ? [] : [{ version: row.version, variant: 'primary', weight: 10_000 - share }]),
      ...(running === undefined
        ? []
        : [{ version: running.version, variant: running.state === 'shadow' ? 'shadow' : 'canary', weight: share }]),
    ],
    generation: plan.rows[0]?.generation ?? null,
    nodes: nodes.rows.map(({ applied_at, reported_at, ...node }) => ({
      node: node.node,
      environment: node.environment,
      generation: node.generation,
      failed: node.failed,
      appliedAt: applied_at,
      reportedAt: reported_at,
    })),
  }
}

async function lastRelease(db: Db, id: string | null): Promise<ReleaseRow | undefined> {
  const { rows } = await sql<ReleaseRow>`select * from releases.release where id = ${id}`.execute(db)
  return rows[0]
}
