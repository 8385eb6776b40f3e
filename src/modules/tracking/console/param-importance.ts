import type { TrackingRun } from '../contract.ts'
import { numberOf } from './group-runs.ts'

export interface ParamImportance {
  key: string
  /** Runs that have both the param and a number for the metric. */
  runs: number
  /** Into how many groups of runs the param parts them. */
  groups: number
  /**
   * The share of the variance of the metric's ranks that lies between those groups (epsilon squared of
   * Kruskal and Wallis, which chance alone leaves at 0), and where it lies with 95 % confidence.
   */
  share: number
  interval: readonly [number, number]
  /** Spearman's rank correlation with its 95 % interval; absent for a param that is no number. */
  correlation: { rho: number; interval: readonly [number, number] } | undefined
}

/** With fewer runs than this, chance says more than a param. */
export const fewestRuns = 10
const mostBins = 6
/** A param with more texts than this, and no number, names runs instead of parting them. */
const mostTexts = 20
const z95 = 1.959964

/**
 * How much each param alone tells of a metric, the most telling first. The runs are parted by the param (numbers into
 * bins of equally many runs, texts by themselves) and the metric is taken by rank, so that neither outliers nor the
 * scale of either matter. What two params do together is not told apart from chance.
 */
export function paramImportance(runs: readonly TrackingRun[], metric: string): ParamImportance[] {
  const keys = [...new Set(runs.flatMap(({ params }) => Object.keys(params)))]
  return keys
    .flatMap((key) => importanceOf(runs, key, metric) ?? [])
    .sort((a, b) => b.share - a.share || (a.key < b.key ? -1 : 1))
}

function importanceOf(runs: readonly TrackingRun[], key: string, metric: string): ParamImportance | undefined {
  const pairs = runs.flatMap((run) => {
    const value = numberOf(run, metric)
    const param = run.params[key]
    return value === undefined || param === undefined ? [] : [{ param, value }]
  })
  if (pairs.length < fewestRuns) return undefined
  const numbers = pairs.map(({ param }) => paramNumber(param))
  const numeric = numbers.every((number) => number !== undefined)
  const groupOf = numeric ? binsOf(numbers) : pairs.map(({ param }) => param)
  const groups = new Set(groupOf).size
  if (groups < 2 || (!numeric && groups > Math.min(mostTexts, pairs.length / 2))) return undefined
  const metricRanks = ranksOf(pairs.map(({ value }) => value))
  return {
    key,
    runs: pairs.length,
    groups,
    ...sharesOf(metricRanks, groupOf),
    correlation: numeric ? correlationOf(ranksOf(numbers), metricRanks) : undefined,
  }
}

/** A param is a text; undefined when that is no number. */
export function paramNumber(text: string): number | undefined {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  return Number.isFinite(number) ? number : undefined
}

/** From 1; equal values share the mean of their ranks. */
export function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0))
  const ranks = new Array<number>(values.length).fill(0)
  for (let from = 0; from < order.length; ) {
    let to = from
    while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) to += 1
    for (let at = from; at < to; at += 1) ranks[order[at] ?? 0] = (from + 1 + to) / 2
    from = to
  }
  return ranks
}

/** Equal numbers stay together; few different ones are bins by themselves. */
function binsOf(numbers: readonly number[]): string[] {
  if (new Set(numbers).size <= mostBins) return numbers.map(String)
  const bins = Math.max(2, Math.min(mostBins, Math.floor(numbers.length / 5)))
  return ranksOf(numbers).map((rank) => String(Math.floor(((rank - 0.5) / numbers.length) * bins)))
}

/** The interval is the jackknife's: each run left out once. */
function sharesOf(values: readonly number[], groupOf: readonly string[]): Pick<ParamImportance, 'share' | 'interval'> {
  const sums = new Map<string, { count: number; sum: number }>()
  let [sum, squares] = [0, 0]
  for (const [index, value] of values.entries()) {
    const name = groupOf[index] ?? ''
    const group = sums.get(name) ?? { count: 0, sum: 0 }
    sums.set(name, { count: group.count + 1, sum: group.sum + value })
    sum += value
    squares += value ** 2
  }
  let between = 0
  for (const group of sums.values()) between += group.sum ** 2 / group.count
  const share = epsilonSquared(values.length, sums.size, sum, squares, between)
  const left = values.map((value, index) => {
    const group = sums.get(groupOf[index] ?? '') ?? { count: 1, sum: value }
    const rest = group.count === 1 ? 0 : (group.sum - value) ** 2 / (group.count - 1)
    return epsilonSquared(
      values.length - 1,
      group.count === 1 ? sums.size - 1 : sums.size,
      sum - value,
      squares - value ** 2,
      between - group.sum ** 2 / group.count + rest,
    )
  })
  const mean = left.reduce((total, one) => total + one, 0) / left.length
  const spread = left.reduce((total, one) => total + (one - mean) ** 2, 0)
  const reach = z95 * Math.sqrt(((left.length - 1) / left.length) * spread)
  return { share: clamped(share), interval: [clamped(share - reach), clamped(share + reach)] }
}

function epsilonSquared(count: number, groups: number, sum: number, squares: number, between: number): number {
  const all = squares - sum ** 2 / count
  const within = squares - between
  if (all <= 1e-12 || count <= groups) return 0
  return 1 - (within / (count - groups)) * ((count - 1) / all)
}

/** By Fisher's transformation, with the standard error of Bonett and Wright for ranks. */
function correlationOf(a: readonly number[], b: readonly number[]): NonNullable<ParamImportance['correlation']> {
  const middle = (a.length + 1) / 2
  let [product, squaresA, squaresB] = [0, 0, 0]
  for (const [index, rank] of a.entries()) {
    const [x, y] = [rank - middle, (b[index] ?? middle) - middle]
    product += x * y
    squaresA += x ** 2
    squaresB += y ** 2
  }
  const rho = squaresA * squaresB === 0 ? 0 : product / Math.sqrt(squaresA * squaresB)
  const transformed = Math.atanh(Math.max(-0.999999, Math.min(0.999999, rho)))
  const reach = z95 * Math.sqrt((1 + rho ** 2 / 2) / (a.length - 3))
  return { rho, interval: [Math.tanh(transformed - reach), Math.tanh(transformed + reach)] }
}

const clamped = (share: number): number => Math.max(0, Math.min(1, share))
