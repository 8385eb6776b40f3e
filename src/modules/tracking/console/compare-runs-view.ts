import type { TrackingRun } from '../contract.ts'
import { cellOf, columnOf, columnText } from './run-columns.ts'

export interface ComparedValue {
  /** `param.depth`, `metric.auc`. */
  name: string
  /** Of each run; undefined where it has none. */
  texts: (string | undefined)[]
  differs: boolean
}

/** Params first, for they explain the metrics. */
export function comparedValues(runs: readonly TrackingRun[]): ComparedValue[] {
  const params = new Set(runs.flatMap((run) => Object.keys(run.params)))
  const metrics = new Set(runs.flatMap((run) => run.metrics.map(({ key }) => key)))
  return [
    ...[...params].sort().map((key) => columnText({ field: 'param', key })),
    ...[...metrics].sort().map((key) => columnText({ field: 'metric', key })),
  ].flatMap((name) => {
    const column = columnOf(name)
    if (column === undefined) return []
    const texts = runs.map((run) => cellOf(run, column))
    return [{ name, texts, differs: new Set(texts).size > 1 }]
  })
}
