/**
 * Durations over fixed log-spaced buckets: eight per doubling from 10 µs on, so a quantile is off by at most 4.5 %
 * whatever the scale, recording costs one logarithm, and histograms of any nodes and minutes add up. Plain data.
 */
export interface LatencyHistogram {
  /** Bucket `i` holds `(bounds[i - 1], bounds[i]]`; the last one everything longer than about two minutes. */
  counts: number[]
  count: number
  /** Milliseconds. */
  sum: number
  /** Milliseconds; 0 when empty. */
  max: number
}

const LOWEST = 0.01
const PER_DOUBLING = 8
const BUCKETS = 190

/** Upper bounds of all buckets but the last, in milliseconds. */
export const latencyBounds: readonly number[] = Array.from(
  { length: BUCKETS - 1 },
  (_, i) => LOWEST * 2 ** (i / PER_DOUBLING),
)

export function emptyLatencyHistogram(): LatencyHistogram {
  return { counts: new Array<number>(BUCKETS).fill(0), count: 0, sum: 0, max: 0 }
}

/** Adds one duration in place: this runs on every request. */
export function recordLatency(histogram: LatencyHistogram, milliseconds: number): void {
  const bucket = Math.ceil(Math.log2(milliseconds / LOWEST) * PER_DOUBLING)
  const index = Math.min(BUCKETS - 1, Math.max(0, bucket))
  histogram.counts[index] = (histogram.counts[index] ?? 0) + 1
  histogram.count += 1
  histogram.sum += milliseconds
  if (milliseconds > histogram.max) histogram.max = milliseconds
}

export function mergeLatencies(a: LatencyHistogram, b: LatencyHistogram): LatencyHistogram {
  return {
    counts: a.counts.map((count, i) => count + (b.counts[i] ?? 0)),
    count: a.count + b.count,
    sum: a.sum + b.sum,
    max: Math.max(a.max, b.max),
  }
}

/**
 * The duration in milliseconds that a share `q` of the requests did not exceed, as the geometric middle of its bucket
 * but never above the longest seen. Null when empty.
 */
export function latencyQuantile(histogram: LatencyHistogram, q: number): number | null {
  if (histogram.count === 0) return null
  const rank = Math.max(1, Math.ceil(q * histogram.count))
  let seen = 0
  const bucket = histogram.counts.findIndex((count) => {
    seen += count
    return seen >= rank
  })
  const bound = latencyBounds[bucket]
  if (bound === undefined) return histogram.max
  return Math.min(histogram.max, bound / 2 ** (0.5 / PER_DOUBLING))
}
