import { sql } from 'kysely'
import { openFindingCounts } from '#modules/monitoring/queries.ts'
import { type RecentTraffic, recentTraffic, summariseTraffic } from '#modules/predictions/queries.ts'
import { handle } from '#platform/context.ts'
import { pageFrom } from '#platform/names.ts'
import type { Db } from '#platform/storage/database/database.ts'
import * as contract from './contract.ts'
import { generationsOf, nodesOf, pageOfEndpoints, type ReleaseRow, trafficOf } from './tables.ts'

const hourMs = 3_600_000

/** A handful of queries for the whole page, so that fifty endpoints cost what one does. */
export const listEndpointHealth = handle(contract.listEndpointHealth, async (ctx, input) => {
  const { items: rows, nextCursor } = pageFrom(
    await pageOfEndpoints(ctx.db, input),
    input.limit,
    (row) => row,
    (row) => [row.environment, row.name],
  )
  const environments = [...new Set(rows.map((row) => row.environment))]
  const nodes = await nodesOf(ctx.db, environments)
  const generations = await generationsOf(ctx.db, environments)
  const running = await runningReleases(ctx.db, environments)
  const findings = await openFindingCounts(ctx.db, environments)
  const traffic = await recentTraffic(
    ctx.db,
    rows.map((row) => ({ environment: row.environment, endpoint: row.name })),
  )
  const items = rows.map((row): contract.EndpointHealth => {
    const name = `${row.environment}/${row.name}`
    const release = running.get(name)
    return {
      environment: row.environment,
      endpoint: row.name,
      model: row.spec.model,
      version: row.version,
      traffic: trafficOf(row.version, release),
      release:
        release === undefined
          ? null
          : {
              id: release.id,
              version: release.version,
              state: release.state,
              weight: release.weight,
              startedAt: release.started_at,
            },
      nodes: healthOf(
        nodes.filter((node) => node.environment === row.environment),
        row.name,
        generations.get(row.environment) ?? 0,
      ),
      openFindings: findings.get(name) ?? 0,
      limits: limitsOf(row.spec.strategy.guardrails),
      recent: recentOf(traffic.get(name)),
    }
  })
  return { items, nextCursor }
})

async function runningReleases(db: Db, environments: readonly string[]): Promise<Map<string, ReleaseRow>> {
  const { rows } = await sql<ReleaseRow>`
    select * from releases.release where environment = any(${[...environments]}) and state in ('shadow', 'canary')
  `.execute(db)
  return new Map(rows.map((row) => [`${row.environment}/${row.endpoint}`, row]))
}

function healthOf(
  nodes: readonly contract.NodeStatus[],
  endpoint: string,
  generation: number,
): contract.EndpointHealth['nodes'] {
  return {
    total: nodes.length,
    current: nodes.filter((node) => node.generation === generation).length,
    failing: nodes.filter((node) => node.failed.length > 0).length,
    overridden: nodes.filter((node) => node.overrides.some((one) => one.endpoint === endpoint)).length,
    lag: Math.max(0, ...nodes.map((node) => generation - node.generation)),
  }
}

function limitsOf({ errorRate, latencyP99Ms }: contract.Guardrails): contract.EndpointHealth['limits'] {
  return {
    errorRate: errorRate === undefined ? null : contract.basisPoints(errorRate) / 10_000,
    latencyP99Ms: latencyP99Ms ?? null,
  }
}

function recentOf(recent: RecentTraffic | undefined): contract.EndpointHealth['recent'] {
  if (recent === undefined) return null
  const { watermark, hours } = recent
  const last = Math.floor(Date.parse(watermark) / hourMs)
  const answered = hours.filter((hour) => hour.variant !== 'shadow')
  const { meanPrediction: _, ...sum } = summariseTraffic(answered)
  const counts = new Array<number>(24).fill(0)
  for (const { hour, rows } of answered) {
    const index = 23 - (last - Date.parse(hour) / hourMs)
    counts[index] = (counts[index] ?? 0) + rows
  }
  return { watermark, spanMs: Date.parse(watermark) - (last - 23) * hourMs, ...sum, hours: counts }
}
