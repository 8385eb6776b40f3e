import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import type { Variant } from './contract.ts'
import { mergeStatistics, type Statistics } from './window-statistics.ts'

export { realisedPerformance } from './measure-performance.ts'
export { mergeStatistics, type Statistics } from './window-statistics.ts'

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
export interface WindowStatistics extends Statistics {
  version: string
  variant: Variant
  /** First hour with rows, and the end of the last. */
  from: string
  to: string
}

const hourMs = 3_600_000

/** Live statistics, one item for each version and variant that answered within the span; those with the newest rows first. */
export async function windowStatistics(db: Db, filter: StatisticsFilter): Promise<WindowStatistics[]> {
  const { environment, endpoint, version, variant, from, to } = filter
  const { rows } = await sql<{ version: string; variant: Variant; hour: string; statistics: Statistics }>`
    select version, variant, hour, statistics from predictions.window_statistic
    where environment = ${environment} and endpoint = ${endpoint}
      and version = coalesce(${version ?? null}, version) and variant = coalesce(${variant ?? null}, variant)
      and hour >= coalesce(date_trunc('hour', ${from ?? null}::timestamptz), '-infinity')
      and hour < coalesce(${to ?? null}::timestamptz, 'infinity')
    order by hour
  `.execute(db)
  const merged = new Map<string, WindowStatistics>()
  for (const { version, variant, hour, statistics } of rows) {
    const key = `${version} ${variant}`
    const before = merged.get(key)
    const end = new Date(Date.parse(hour) + hourMs).toISOString()
    merged.set(key, {
      ...(before === undefined ? statistics : mergeStatistics(before, statistics)),
      version,
      variant,
      from: before?.from ?? hour,
      to: end,
    })
  }
  return [...merged.values()].sort((a, b) => (a.to < b.to ? 1 : a.to > b.to ? -1 : b.rows - a.rows))
}

/** The newest event time that an endpoint's records show, as ISO 8601; undefined before the first. */
export async function endpointWatermark(db: Db, environment: string, endpoint: string): Promise<string | undefined> {
  const { rows } = await sql<{ at: string }>`
    select at from predictions.watermark where environment = ${environment} and endpoint = ${endpoint}
  `.execute(db)
  return rows[0]?.at
}

/** The first hour of event time with rows at or after an instant. */
export async function nextHourWithRows(db: Db, environment: string, endpoint: string, from: string | null) {
  const { rows } = await sql<{ hour: string | null }>`
    select min(hour) as hour from predictions.window_statistic
    where environment = ${environment} and endpoint = ${endpoint}
      and hour >= coalesce(date_trunc('hour', ${from}::timestamptz), '-infinity')
  `.execute(db)
  return rows[0]?.hour ?? undefined
}
