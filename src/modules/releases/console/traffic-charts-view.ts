import type { EChartsCoreOption } from 'echarts/core'
import type { Performance } from '#modules/predictions/contract.ts'

/** A part of the history of an endpoint: an hour or a day of one version in one role. */
export interface HistoryItem {
  at: string
  version: string
  variant: 'primary' | 'canary' | 'shadow'
  rows: number
  errors: number
  fallbacks: number
  latencyMs: { p50: number | null; p99: number | null }
  meanPrediction: number | null
}

/** Versions in the order in which they first answered. */
export function versionsOf(items: readonly { version: string }[]): string[] {
  return [...new Set(items.map((item) => item.version))]
}

/**
 * Points of one number of one version, over every moment that any version has, so that what did not answer then leaves
 * a gap instead of a line.
 */
function points(
  items: readonly HistoryItem[],
  version: string,
  value: (items: readonly HistoryItem[]) => number | null,
): [string, number | null][] {
  const times = [...new Set(items.map((item) => item.at))].sort()
  return times.map((at) => {
    const here = items.filter((item) => item.at === at && item.version === version)
    return [at, here.length === 0 ? null : value(here)]
  })
}

const legend = { top: 0, right: 0, itemWidth: 12, itemHeight: 8 }

const base = { xAxis: { type: 'time', axisLabel: { hideOverlap: true } }, legend }

/** Who answered how many requests: the split of the traffic as it was, not as it was meant. */
export function requestsOption(items: readonly HistoryItem[], every: 'hour' | 'day'): EChartsCoreOption {
  const answered = items.filter((item) => item.variant !== 'shadow')
  return {
    ...base,
    yAxis: { type: 'value', name: `rows/${every}`, minInterval: 1 },
    series: versionsOf(answered).map((version) => ({
      name: version,
      type: 'bar',
      stack: 'rows',
      barMaxWidth: 18,
      data: points(answered, version, (here) => here.reduce((sum, item) => sum + item.rows, 0)),
    })),
  }
}

/** A line for each version. */
export function linesOption(
  items: readonly HistoryItem[],
  unit: string,
  value: (item: HistoryItem) => number | null,
  limit?: { name: string; value: number },
): EChartsCoreOption {
  const answered = items.filter((item) => item.variant !== 'shadow')
  return {
    ...base,
    yAxis: { type: 'value', name: unit, scale: limit === undefined },
    series: versionsOf(answered).map((version, index) => ({
      name: version,
      type: 'line',
      showSymbol: answered.length < 40,
      symbolSize: 5,
      data: points(answered, version, (here) => largest(here.map(value))),
      ...(index === 0 && limit !== undefined && { markLine: thresholdLine(limit) }),
    })),
  }
}

function largest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

/** A dashed line across a chart at a limit. */
function thresholdLine({ name, value }: { name: string; value: number }) {
  return {
    silent: true,
    symbol: 'none',
    lineStyle: { type: 'dashed' },
    label: { formatter: name, position: 'insideEndTop' },
    data: [{ yAxis: value }],
  }
}

/** Realised AUC by week with its 95 % confidence as a band. */
export function performanceOption(items: readonly Performance[]): EChartsCoreOption {
  const measured = items.filter((item) => item.auc !== null && item.at !== null)
  const versions = versionsOf(measured)
  const of = (version: string, value: (item: Performance) => number | null) =>
    measured.filter((item) => item.version === version).map((item) => [item.at, value(item)])
  // The axis would begin at the bands' heights, which are small, so it is told where.
  const lows = measured.map((item) => item.aucInterval?.low ?? item.auc ?? 0)
  const lowest = Math.max(0, Math.floor((Math.min(1, ...lows) - 0.01) * 20) / 20)
  const band = { type: 'line', symbol: 'none', silent: true, tooltip: { show: false }, lineStyle: { opacity: 0 } }
  return {
    ...base,
    legend: { ...legend, data: versions },
    yAxis: { type: 'value', name: 'AUC', min: lowest },
    series: versions.flatMap((version, index) => [
      {
        name: version,
        type: 'line',
        symbolSize: 6,
        colorBy: 'series',
        data: of(version, (item) => item.auc),
      },
      {
        ...band,
        name: `${version} low`,
        stack: `band ${index}`,
        data: of(version, (item) => item.aucInterval?.low ?? null),
      },
      {
        ...band,
        name: `${version} high`,
        stack: `band ${index}`,
        areaStyle: { opacity: 0.13, color: '#5b7fd4' },
        data: of(version, (item) => (item.aucInterval === null ? null : item.aucInterval.high - item.aucInterval.low)),
      },
    ]),
  }
}
