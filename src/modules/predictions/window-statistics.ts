import { binOf, mergeCounts } from '#algorithms/statistics/histogram.ts'
import {
  emptyLatencyHistogram,
  type LatencyHistogram,
  mergeLatencies,
  recordLatency,
} from '#algorithms/statistics/latency-histogram.ts'
import type { LiveCounts, PredictionRecord, Variant } from './contract.ts'

/** What is remembered of the rows of any span of time; those of two spans merge. */
export interface Statistics {
  rows: number
  errors: number
  fallbacks: number
  /** Of all rows. */
  latency: LatencyHistogram
  /** Of rows with status `ok`: what a fallback answered says nothing of the model. */
  features: Record<string, LiveCounts>
  prediction: LiveCounts
}

/** Statistics of one hour of event time, of one version in one role. */
export interface HourStatistics {
  environment: string
  endpoint: string
  version: string
  variant: Variant
  /** Start of the hour, ISO 8601. */
  hour: string
  statistics: Statistics
}

/** Inner bin edges to count over; features without any are only summed. */
export interface Edges {
  features: ReadonlyMap<string, readonly number[]>
  prediction: readonly number[]
}

const hourMs = 3_600_000

/** The hour of event time that an instant falls into. */
export function hourOf(at: string): string {
  return new Date(Math.floor(Date.parse(at) / hourMs) * hourMs).toISOString()
}

/** Sums up records by hour, version and variant. The order of the records does not matter. */
export function summarise(records: readonly PredictionRecord[], edgesOf: (version: string) => Edges): HourStatistics[] {
  const hours = new Map<string, HourStatistics>()
  for (const record of records) {
    const { environment, endpoint, version, variant } = record
    const hour = hourOf(record.at)
    const key = JSON.stringify([environment, endpoint, hour, version, variant])
    let found = hours.get(key)
    if (found === undefined) {
      found = { environment, endpoint, version, variant, hour, statistics: emptyStatistics(edgesOf(version)) }
      hours.set(key, found)
    }
    addRecord(found.statistics, record, edgesOf(version))
  }
  return [...hours.values()]
}

function emptyStatistics(edges: Edges): Statistics {
  return {
    rows: 0,
    errors: 0,
    fallbacks: 0,
    latency: emptyLatencyHistogram(),
    features: {},
    prediction: emptyCounts(edges.prediction),
  }
}

function addRecord(statistics: Statistics, record: PredictionRecord, edges: Edges): void {
  statistics.rows += 1
  recordLatency(statistics.latency, record.latencyUs / 1000)
  if (record.status === 'error') statistics.errors += 1
  if (record.status === 'fallback') statistics.fallbacks += 1
  if (record.status !== 'ok') return
  addValue(statistics.prediction, record.prediction, edges.prediction)
  for (const [name, value] of Object.entries(record.features)) {
    const featureEdges = edges.features.get(name) ?? []
    const counts = statistics.features[name] ?? emptyCounts(featureEdges)
    statistics.features[name] = counts
    addValue(counts, value, featureEdges)
  }
}

function emptyCounts(edges: readonly number[]): LiveCounts {
  return { counts: new Array<number>(edges.length + 1).fill(0), nulls: 0, sum: 0 }
}

function addValue(counts: LiveCounts, value: number | null, edges: readonly number[]): void {
  if (value === null) {
    counts.nulls += 1
    return
  }
  const bin = binOf(value, edges)
  counts.counts[bin] = (counts.counts[bin] ?? 0) + 1
  counts.sum += value
}

/** The statistics of both; they must be of one version, whose edges never change. */
export function mergeStatistics(a: Statistics, b: Statistics): Statistics {
  const features = { ...a.features }
  for (const [name, counts] of Object.entries(b.features)) {
    const other = features[name]
    features[name] = other === undefined ? counts : mergeLive(other, counts)
  }
  return {
    rows: a.rows + b.rows,
    errors: a.errors + b.errors,
    fallbacks: a.fallbacks + b.fallbacks,
    latency: mergeLatencies(a.latency, b.latency),
    features,
    prediction: mergeLive(a.prediction, b.prediction),
  }
}

function mergeLive(a: LiveCounts, b: LiveCounts): LiveCounts {
  return { counts: mergeCounts(a.counts, b.counts), nulls: a.nulls + b.nulls, sum: a.sum + b.sum }
}
