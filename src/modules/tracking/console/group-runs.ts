import type { TrackingRun } from '../contract.ts'
import { cellOf, type RunColumn } from './run-columns.ts'

interface MetricSummary {
  /** Runs that have a number for it. */
  runs: number
  mean: number
  lowest: number
  highest: number
}

export interface RunGroup {
  /** Undefined for the runs without the param or tag. */
  value: string | undefined
  runs: number
  /** By the key of the metric; absent when no run of the group has a number for it. */
  metrics: Map<string, MetricSummary>
}

/** The runs with each value of a param or tag, and how their metrics went. What is no finite number is left out. */
export function groupRuns(runs: readonly TrackingRun[], by: RunColumn, metrics: readonly string[]): RunGroup[] {
  const groups = [...Map.groupBy(runs, (run) => cellOf(run, by))].map(([value, members]) => ({
    value,
    runs: members.length,
    metrics: new Map(
      metrics.flatMap((key) => {
        const summary = summaryOf(members.flatMap((run) => numberOf(run, key) ?? []))
        return summary === undefined ? [] : [[key, summary] as const]
      }),
    ),
  }))
  return groups.sort((a, b) => compareValues(a.value, b.value))
}

/** The latest value of a metric; undefined where it has none, or none to calculate with. */
export function numberOf(run: TrackingRun, metric: string): number | undefined {
  const value = run.metrics.find(({ key }) => key === metric)?.value
  return typeof value === 'number' ? value : undefined
}

function summaryOf(values: readonly number[]): MetricSummary | undefined {
  if (values.length === 0) return undefined
  return values.reduce<MetricSummary>(
    ({ runs, mean, lowest, highest }, value) => ({
      runs: runs + 1,
      mean: mean + (value - mean) / (runs + 1),
      lowest: Math.min(lowest, value),
      highest: Math.max(highest, value),
    }),
    { runs: 0, mean: 0, lowest: Number.POSITIVE_INFINITY, highest: Number.NEGATIVE_INFINITY },
  )
}

/** Numbers by size, texts as people order them, nothing last. */
function compareValues(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
  return a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : Number(a > b))
}
