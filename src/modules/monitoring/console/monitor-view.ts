import type { EChartsCoreOption } from 'echarts/core'
import type { Tone } from '../../../console/design/state.tsx'
import type { Evaluation, Finding, FindingKind, Metric, MonitorSpec } from '../contract.ts'

const kindNames: Record<FindingKind, string> = {
  drift: 'input drift',
  prediction_drift: 'prediction drift',
  performance: 'performance',
  calibration: 'calibration',
}

/** What the values of a kind are measured in. */
const unitNames: Record<FindingKind, string> = {
  drift: 'PSI',
  prediction_drift: 'PSI',
  performance: 'AUC',
  calibration: 'ECE',
}

export const severityTones: Record<Finding['severity'], Tone> = { low: 'warn', medium: 'warn', high: 'bad' }

/** `drift of distance`. */
export function subjectOf({ kind, feature }: Pick<Metric, 'kind' | 'feature'>): string {
  return feature === null ? kindNames[kind] : `${kindNames[kind]} of ${feature}`
}

/** `0.255 PSI`, with as many digits as mean something. */
export const measured = (kind: FindingKind, value: number): string => `${value.toFixed(3)} ${unitNames[kind]}`

/** Above a threshold is bad for distances and errors, below for how good predictions are. */
export const limitSign = (kind: FindingKind): string => (kind === 'performance' ? '≥' : '≤')

/** What a monitor looks at, in the words of its declaration. */
export function watchesOf(spec: MonitorSpec): string[] {
  const streak = (consecutive: number) => (consecutive === 1 ? '' : `, ${consecutive} times in a row`)
  const { drift, predictionDrift, performance, calibration } = spec
  const lines: string[] = []
  if (drift !== undefined) {
    const features = drift.features === undefined ? 'every feature' : drift.features.join(', ')
    const less = drift.exclude.length === 0 ? '' : ` but ${drift.exclude.join(', ')}`
    lines.push(
      `Inputs (${features}${less}) against the training data of what serves: at most ${drift.threshold} PSI${streak(drift.consecutive)}`,
    )
  }
  if (predictionDrift !== undefined) {
    lines.push(
      `Predictions against those of the evaluation: at most ${predictionDrift.threshold} PSI${streak(predictionDrift.consecutive)}`,
    )
  }
  if (performance !== undefined) {
    const limits = [
      performance.minimum !== undefined && `at least ${performance.minimum}`,
      performance.maximumDrop !== undefined && `at most ${performance.maximumDrop} below the registered one`,
    ].filter((limit) => limit !== false)
    lines.push(`Realised AUC: ${limits.join(' and ')}${streak(performance.consecutive)}`)
  }
  if (calibration !== undefined) {
    lines.push(`Calibration error: at most ${calibration.maximum}${streak(calibration.consecutive)}`)
  }
  return lines
}

/** The metrics of an evaluation, those nearest to their limit or beyond it first. */
export function byDanger(metrics: readonly Metric[]): Metric[] {
  return [...metrics].sort((a, b) => dangerOf(b) - dangerOf(a) || subjectOf(a).localeCompare(subjectOf(b)))
}

/** One is at the limit; more is beyond it. */
export function dangerOf({ kind, value, threshold }: Metric): number {
  if (value === null || threshold === null) return -1
  if (kind === 'performance') return value <= 0 ? Number.POSITIVE_INFINITY : threshold / value
  return threshold <= 0 ? Number.POSITIVE_INFINITY : value / threshold
}

/** Where a metric stands against its limit, in a word. */
export function verdictOf({ breached, value }: Pick<Metric, 'breached' | 'value'>): { tone: Tone; word: string } {
  if (breached === null) return { tone: 'idle', word: value === null ? 'no data' : 'too few rows' }
  return breached ? { tone: 'bad', word: 'breached' } : { tone: 'good', word: 'within' }
}

interface Point {
  at: string
  value: number | null
  threshold: number | null
  breached: boolean | null
}

/** One metric over time, oldest first. */
export function seriesOf(
  evaluations: readonly Evaluation[],
  { kind, feature }: Pick<Metric, 'kind' | 'feature'>,
): Point[] {
  return evaluations
    .flatMap(({ at, metrics }) =>
      metrics
        .filter((metric) => metric.kind === kind && metric.feature === feature)
        .map(({ value, threshold, breached }) => ({ at, value, threshold, breached })),
    )
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}

/** A metric over time with its limit as a line, and the time of each finding as an area. */
export function seriesOption(
  points: readonly Point[],
  kind: FindingKind,
  findings: readonly Pick<Finding, 'since' | 'resolvedAt' | 'lastSeenAt'>[],
): EChartsCoreOption {
  return {
    xAxis: { type: 'time', axisLabel: { hideOverlap: true } },
    yAxis: { type: 'value', name: unitNames[kind], scale: kind === 'performance' },
    legend: { top: 0, right: 0, itemWidth: 12, itemHeight: 8 },
    series: [
      {
        name: unitNames[kind],
        type: 'line',
        symbolSize: 5,
        showSymbol: points.length < 30,
        data: points.map(({ at, value }) => [at, value]),
        markArea: {
          silent: true,
          itemStyle: { color: 'rgba(201, 42, 42, 0.12)' },
          data: findings.map(({ since, resolvedAt, lastSeenAt }) => [
            { xAxis: since },
            { xAxis: resolvedAt ?? lastSeenAt },
          ]),
        },
      },
      {
        name: 'limit',
        type: 'line',
        symbol: 'none',
        lineStyle: { type: 'dashed', width: 1 },
        data: points.map(({ at, threshold }) => [at, threshold]),
      },
    ],
  }
}

/** Names of bins between inner edges: `< 10`, `10 – 20`, `≥ 20`. */
export function binNames(edges: readonly number[]): string[] {
  const text = (value: number) => String(Number(value.toPrecision(3)))
  const [first] = edges
  const last = edges.at(-1)
  if (first === undefined || last === undefined) return ['all']
  return [
    `< ${text(first)}`,
    ...edges.slice(1).map((edge, index) => `${text(edges[index] ?? 0)} – ${text(edge)}`),
    `≥ ${text(last)}`,
  ]
}

/** Two distributions over the same bins, as shares, with what had no value as a bin of its own where there is any. */
export function comparisonOption(
  edges: readonly number[],
  reference: { counts: readonly number[]; nulls: number },
  live: { counts: readonly number[]; nulls: number },
): EChartsCoreOption {
  const nulls = reference.nulls + live.nulls > 0
  const names = [...binNames(edges), ...(nulls ? ['none'] : [])]
  const shares = ({ counts, nulls: missing }: { counts: readonly number[]; nulls: number }) => {
    const all = counts.reduce((sum, count) => sum + count, missing)
    const whole = [...counts, ...(nulls ? [missing] : [])]
    return whole.map((count) => (all === 0 ? 0 : Number(((100 * count) / all).toFixed(2))))
  }
  return {
    xAxis: { type: 'category', data: names, axisLabel: { rotate: names.length > 6 ? 40 : 0, fontSize: 10 } },
    yAxis: { type: 'value', name: '% of rows' },
    legend: { top: 0, right: 0, itemWidth: 12, itemHeight: 8 },
    series: [
      { name: 'training', type: 'bar', data: shares(reference), itemStyle: { color: '#8a93a1' } },
      { name: 'window', type: 'bar', data: shares(live) },
    ],
  }
}
