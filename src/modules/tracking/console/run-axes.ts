import type { TrackingRun } from '../contract.ts'
import { numberOf } from './group-runs.ts'
import { paramNumber } from './param-importance.ts'
import { cellOf, columnText, isSystemMetric, metricText, type RunColumn } from './run-columns.ts'

/** A param, metric or tag laid along a line: numbers by size, texts in their order. */
export interface RunAxis {
  name: string
  column: RunColumn
  log: boolean
  /** From 0 to 1; undefined for a run that has nothing there. */
  placeOf: (run: TrackingRun) => number | undefined
  /** The number, or the place of the text among the texts, that lies at a place. */
  unitAt: (place: number) => number
  placeAt: (unit: number) => number
  ticks: readonly { place: number; text: string }[]
}

const mostTexts = 30
/** From here on an axis of positive numbers is better read by their size than by their difference. */
const logFrom = 100

/** What the runs have more than one value of, params first; what names each run by itself is left out. */
export function varyingColumns(runs: readonly TrackingRun[]): RunColumn[] {
  const params = [...new Set(runs.flatMap((run) => Object.keys(run.params)))].sort()
  const metrics = [...new Set(runs.flatMap((run) => run.metrics.map(({ key }) => key)))].sort()
  return [
    ...params.map((key) => ({ field: 'param' as const, key })),
    ...metrics.filter((key) => !isSystemMetric(key)).map((key) => ({ field: 'metric' as const, key })),
  ].filter((column) => axisOf(runs, column) !== undefined)
}

/** Undefined when there is nothing to tell apart along it. */
export function axisOf(runs: readonly TrackingRun[], column: RunColumn): RunAxis | undefined {
  const texts = [...new Set(runs.flatMap((run) => cellOf(run, column) ?? []))]
  if (texts.length < 2) return undefined
  const numeric = column.field === 'metric' || texts.every((text) => paramNumber(text) !== undefined)
  return numeric ? numberAxis(runs, column) : texts.length <= mostTexts ? textAxis(texts, column) : undefined
}

/** What a run has along a number axis. */
export function unitOf(run: TrackingRun, column: RunColumn): number | undefined {
  if (column.field === 'metric') return numberOf(run, column.key)
  const text = cellOf(run, column)
  return text === undefined ? undefined : paramNumber(text)
}

function numberAxis(runs: readonly TrackingRun[], column: RunColumn): RunAxis | undefined {
  const numbers = runs.flatMap((run) => unitOf(run, column) ?? [])
  const lowest = numbers.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY)
  const highest = numbers.reduce((most, one) => Math.max(most, one), Number.NEGATIVE_INFINITY)
  if (!(lowest < highest)) return undefined
  const log = lowest > 0 && highest / lowest >= logFrom
  const [scale, back] = log ? [Math.log, Math.exp] : [(unit: number) => unit, (unit: number) => unit]
  const placeAt = (unit: number) => (scale(unit) - scale(lowest)) / (scale(highest) - scale(lowest))
  const unitAt = (place: number) => back(scale(lowest) + place * (scale(highest) - scale(lowest)))
  return {
    name: columnText(column),
    column,
    log,
    placeAt,
    unitAt,
    placeOf: (run) => {
      const unit = unitOf(run, column)
      return unit === undefined ? undefined : placeAt(unit)
    },
    ticks: ticksOf(numbers, placeAt, unitAt),
  }
}

const mostValues = 8

/** Few values stand for themselves. */
function ticksOf(
  numbers: readonly number[],
  placeAt: (unit: number) => number,
  unitAt: (place: number) => number,
): RunAxis['ticks'] {
  const values = new Set(numbers)
  if (values.size <= mostValues) return [...values].map((unit) => ({ place: placeAt(unit), text: metricText(unit) }))
  return [0, 0.25, 0.5, 0.75, 1].map((place) => ({
    place,
    text: metricText(Number(unitAt(place).toPrecision(place === 0 || place === 1 ? 4 : 2))),
  }))
}

function textAxis(texts: readonly string[], column: RunColumn): RunAxis {
  const ordered = [...texts].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  const places = new Map(ordered.map((text, index) => [text, index / (ordered.length - 1)]))
  const placeAt = (unit: number) => unit / (ordered.length - 1)
  return {
    name: columnText(column),
    column,
    log: false,
    placeAt,
    unitAt: (place) => place * (ordered.length - 1),
    placeOf: (run) => places.get(cellOf(run, column) ?? ''),
    ticks: ordered.map((text, index) => ({ place: placeAt(index), text })),
  }
}

/** What a reader has marked on axes, by their names: from one unit to another. */
export type Brushes = ReadonlyMap<string, readonly [number, number]>

/** `param.lr~0.001~0.01,metric.auc~0.7~0.8` */
export function brushesOf(text: string): Brushes {
  return new Map(
    text.split(',').flatMap((one) => {
      const [name = '', from, to] = one.split('~')
      const range = [Number(from), Number(to)] as const
      return from === undefined || to === undefined || !range.every(Number.isFinite) ? [] : [[name, range] as const]
    }),
  )
}

export function brushesText(brushes: Brushes): string {
  return [...brushes]
    .map(([name, range]) => [name, ...range.map((unit) => Number(unit.toPrecision(6)))].join('~'))
    .join()
}

/** Whether a run lies within everything that is marked. */
export function isMarked(run: TrackingRun, axes: readonly RunAxis[], brushes: Brushes): boolean {
  return axes.every((axis) => {
    const range = brushes.get(axis.name)
    if (range === undefined) return true
    const place = axis.placeOf(run)
    // The address holds six digits, which must not leave out what lies at the very end.
    return place !== undefined && place >= axis.placeAt(range[0]) - 1e-5 && place <= axis.placeAt(range[1]) + 1e-5
  })
}
