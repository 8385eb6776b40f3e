import type { Metrics, Version } from '../contract.ts'

export interface Interval {
  low: number
  high: number
  /** Where it comes from. */
  source: string
}

/** A metric with its 95 % confidence interval; null where none is known. */
export interface Measured {
  name: string
  value: number
  interval: Interval | null
}

/** Counts of rows that evaluations report among their metrics. */
const rowCounts = new Set(['rows', 'n', 'count', 'samples'])

/** On how many rows the metrics were measured; null when the evaluation does not say. */
export function rowsOf(metrics: Metrics): number | null {
  const name = Object.keys(metrics).find((one) => rowCounts.has(one))
  return name === undefined ? null : (metrics[name] ?? null)
}

/**
 * What was measured. An evaluation that reports `auc_low` and `auc_high` beside `auc` has given the interval itself; of a
 * share of rows it follows from their number.
 */
export function measuredOf(metrics: Metrics, rows: number | null = rowsOf(metrics)): Measured[] {
  return Object.entries(metrics)
    .filter(([name]) => !rowCounts.has(name) && !isBound(name, metrics))
    .map(([name, value]) => ({ name, value, interval: intervalOf(name, value, metrics, rows) }))
}

function isBound(name: string, metrics: Metrics): boolean {
  const base = /^(.+)_(low|high)$/.exec(name)?.[1]
  return base !== undefined && [base, `${base}_low`, `${base}_high`].every((one) => metrics[one] !== undefined)
}

function intervalOf(name: string, value: number, metrics: Metrics, rows: number | null): Interval | null {
  const [low, high] = [metrics[`${name}_low`], metrics[`${name}_high`]]
  if (low !== undefined && high !== undefined) return { low, high, source: 'as the evaluation reports it' }
  if (rows === null || rows < 1 || !/^(accuracy|error_rate)$/.test(name) || value < 0 || value > 1) return null
  return { ...wilson(value, rows), source: `Wilson, from ${rows.toLocaleString('en')} rows` }
}

const z95 = 1.959964

/** Wilson's score interval of a share that was seen among so many rows. */
export function wilson(share: number, rows: number): { low: number; high: number } {
  const z2 = z95 ** 2 / rows
  const middle = (share + z2 / 2) / (1 + z2)
  const half = (z95 / (1 + z2)) * Math.sqrt((share * (1 - share)) / rows + z2 / (4 * rows))
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

export interface Difference {
  by: number
  /** Of the difference, by the intervals of both; null when one of them is not known. */
  interval: { low: number; high: number } | null
  verdict: 'better' | 'worse' | 'unclear' | 'unknown'
}

/** How a metric differs from the one that it is compared with. */
export function differenceOf(
  name: string,
  from: Measured | undefined,
  to: Measured | undefined,
): Difference | undefined {
  if (from === undefined || to === undefined) return undefined
  const by = to.value - from.value
  const interval = from.interval && to.interval && intervalOfDifference(by, from, from.interval, to, to.interval)
  return { by, interval, verdict: verdictOf(name, by, interval) }
}

/** Newcombe's hybrid: the distances of both values from their bounds, as if the evaluations were independent. */
function intervalOfDifference(by: number, from: Measured, fromBounds: Interval, to: Measured, toBounds: Interval) {
  const below = Math.hypot(to.value - toBounds.low, fromBounds.high - from.value)
  const above = Math.hypot(toBounds.high - to.value, from.value - fromBounds.low)
  return { low: by - below, high: by + above }
}

function verdictOf(name: string, by: number, interval: Difference['interval']): Difference['verdict'] {
  const direction = directionOf(name)
  if (interval === null || direction === undefined) return 'unknown'
  if (interval.low <= 0 && interval.high >= 0) return 'unclear'
  return by > 0 === (direction === 'higher') ? 'better' : 'worse'
}

/** Which way a metric improves, as far as its name tells. */
export function directionOf(name: string): 'higher' | 'lower' | undefined {
  if (/(loss|error|brier|mae|mse|mape|deviance|perplexity)/.test(name)) return 'lower'
  return /(auc|accuracy|precision|recall|f1|r2|ndcg|gini|lift)/.test(name) ? 'higher' : undefined
}

/** Four significant digits, whole numbers as they are. */
export function metricText(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en')
  const digits = Math.abs(value) >= 1 ? 2 : 4
  return Math.abs(value) < 0.0001 || Math.abs(value) >= 1e9 ? value.toPrecision(4) : value.toFixed(digits)
}

export function differenceText(by: number): string {
  return by === 0 ? '±0' : `${by > 0 ? '+' : '−'}${metricText(Math.abs(by))}`
}

/** Names of the metrics of several versions, those that most have first. */
export function metricNames(versions: ReadonlyArray<Pick<Version, 'metrics'>>): string[] {
  const counts = new Map<string, number>()
  for (const { metrics } of versions) {
    for (const { name } of measuredOf(metrics)) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([name]) => name)
}
