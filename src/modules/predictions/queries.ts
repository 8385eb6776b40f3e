import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import type { Variant } from './contract.ts'
import { mergeStatistics, type Statistics } from './window-statistics.ts'

export { realisedPerformance } from './measure-performance.ts'
export { type RecentTraffic, recentTraffic, summariseTraffic } from './traffic-history.ts'
export { mergeStatistics, type Statistics } from './window-statistics.ts'

/** Answers the `path` of every file below the data directory that holds predictions or labels. */
export const liveFilesQuery = "select 'predictions/' || path as path from predictions.file where retired_at is null"

export interface StatisticsFilter {
  environment: string
  endpoint: string
  version?: string | undefined
  variant?: Variant | undefined
  /** Event time, half-open. Statistics are kept by the hour: `from` is taken down to one and `to` up to one. */
  from?: string | undefined
  to?: string | undefined
}

/** What one version did in one role within the span asked for. Feature counts are over its own profile's edges. */
export interface VersionStatistics extends Statistics {
  version: string
  variant: Variant
  /** First hour with rows, and the end of the last. */
  from: string
  to: string
}

const hourMs = 3_600_000

/**
 * Live statistics, one item for each version and variant that answered within the span, those that answered last first.
 * Items of one version merge by `mergeStatistics`.
 */
export async function windowStatistics(db: Db, filter: StatisticsFilter): Promise<VersionStatistics[]> {
  const { environment, endpoint, version, variant, from, to } = filter
  const { rows } = await sql<{ version: string; variant: Variant; hour: string; statistics: Statistics }>`
    select version, variant, hour, statistics from predictions.window_statistic
    where environment = ${environment} and endpoint = ${endpoint}
      and version = coalesce(${version ?? null}, version) and variant = coalesce(${variant ?? null}, variant)
      and hour >= coalesce(date_trunc('hour', ${from ?? null}::timestamptz), '-infinity')
      and hour < coalesce(${to ?? null}::timestamptz, 'infinity')
    order by hour
  `.execute(db)
  const merged = new Map<string, VersionStatistics>()
  for (const { version, variant, hour, statistics } of rows) {
    const key = `${version} ${variant}`
    const before = merged.get(key)
    merged.set(key, {
      ...(before === undefined ? statistics : mergeStatistics(before, statistics)),
      version,
      variant,
      from: before?.from ?? hour,
      to: new Date(Date.parse(hour) + hourMs).toISOString(),
    })
  }
  return [...merged.values()].sort((a, b) => Date.parse(b.to) - Date.parse(a.to) || b.rows - a.rows)
}

/** The newest event time that an endpoint's records show, as ISO 8601; undefined before the first. */
export async function endpointWatermark(db: Db, environment: string, endpoint: string): Promise<string | undefined> {
  const { rows } = await sql<{ at: string }>`
    select at from predictions.watermark where environment = ${environment} and endpoint = ${endpoint}
  `.execute(db)
  return rows[0]?.at
}

/** The first hour of event time in which a version served primary traffic, at or after an instant. */
export async function firstPrimaryHour(
  db: Db,
  environment: string,
  endpoint: string,
  after?: string,
): Promise<string | undefined> {
  const { rows } = await sql<{ hour: string | null }>`
    select min(hour) as hour from predictions.window_statistic
    where environment = ${environment} and endpoint = ${endpoint} and variant = 'primary'
      and hour >= coalesce(date_trunc('hour', ${after ?? null}::timestamptz), '-infinity')
  `.execute(db)
  return rows[0]?.hour ?? undefined
}
