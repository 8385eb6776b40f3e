import { sql } from 'kysely'
import {
  emptyLatencyHistogram,
  type LatencyHistogram,
  latencyQuantile,
  mergeLatencies,
} from '#algorithms/statistics/latency-histogram.ts'
import type { Db } from '#platform/storage/database/database.ts'
import type { LiveCounts, Variant } from './contract.ts'

/** An hour of one version in one role, without what its features looked like. */
export interface TrafficHour {
  environment: string
  endpoint: string
  hour: string
  version: string
  variant: Variant
  rows: number
  errors: number
  fallbacks: number
  latency: LatencyHistogram
  prediction: LiveCounts
}

const columns = sql.raw(`s.environment, s.endpoint, s.hour, s.version, s.variant,
  (s.statistics ->> 'rows')::int as rows, (s.statistics ->> 'errors')::int as errors,
  (s.statistics ->> 'fallbacks')::int as fallbacks, s.statistics -> 'latency' as latency,
  s.statistics -> 'prediction' as prediction`)

/** The hours of an endpoint within a span of event time, oldest first. */
export async function trafficHours(
  db: Db,
  { environment, endpoint, from, to }: { environment: string; endpoint: string; from: string; to: string },
): Promise<TrafficHour[]> {
  const { rows } = await sql<TrafficHour>`
    select ${columns} from predictions.window_statistic s
    where s.environment = ${environment} and s.endpoint = ${endpoint} and s.hour >= ${from} and s.hour < ${to}
    order by s.hour, s.version, s.variant
  `.execute(db)
  return rows
}

export interface RecentTraffic {
  /** Newest event time seen. */
  watermark: string
  /** Oldest first: those of the day that ends with the watermark. */
  hours: TrafficHour[]
}

/** The last day of each of some endpoints (`environment/endpoint`), up to the newest record of each; without records it is left out. */
export async function recentTraffic(
  db: Db,
  endpoints: readonly { environment: string; endpoint: string }[],
): Promise<Map<string, RecentTraffic>> {
  const wanted = JSON.stringify(endpoints)
  const { rows: marks } = await sql<{ environment: string; endpoint: string; at: string }>`
    select w.environment, w.endpoint, w.at from predictions.watermark w
    join jsonb_to_recordset(${wanted}::jsonb) as want (environment text, endpoint text) using (environment, endpoint)
  `.execute(db)
  const recent = new Map<string, RecentTraffic>()
  for (const { environment, endpoint, at } of marks) {
    recent.set(`${environment}/${endpoint}`, { watermark: at, hours: [] })
  }
  const { rows } = await sql<TrafficHour>`
    select ${columns} from predictions.watermark w
    join jsonb_to_recordset(${wanted}::jsonb) as want (environment text, endpoint text) using (environment, endpoint)
    join predictions.window_statistic s on s.workspace = w.workspace and s.environment = w.environment
      and s.endpoint = w.endpoint and s.hour > w.at - interval '24 hours' and s.hour <= w.at
    order by s.hour
  `.execute(db)
  for (const row of rows) recent.get(`${row.environment}/${row.endpoint}`)?.hours.push(row)
  return recent
}

/** What people ask of any number of hours. */
export function summariseTraffic(hours: readonly TrafficHour[]) {
  let latency = emptyLatencyHistogram()
  const sum = { rows: 0, errors: 0, fallbacks: 0 }
  let [scored, scores] = [0, 0]
  for (const hour of hours) {
    sum.rows += hour.rows
    sum.errors += hour.errors
    sum.fallbacks += hour.fallbacks
    latency = mergeLatencies(latency, hour.latency)
    scored += hour.rows - hour.errors - hour.fallbacks - hour.prediction.nulls
    scores += hour.prediction.sum
  }
  return {
    ...sum,
    latencyMs: { p50: latencyQuantile(latency, 0.5), p99: latencyQuantile(latency, 0.99) },
    meanPrediction: scored === 0 ? null : scores / scored,
  }
}
