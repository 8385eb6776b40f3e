import { countBins, finite, mergeCounts, quantileEdges } from './histogram.ts'

/**
 * What is remembered of a numeric column: enough to compare it with another time span without its rows. Profiles over
 * the same edges merge, so live ones are kept per hour and joined to the span in question.
 */
export interface FeatureProfile {
  name: string
  /** Rows with a finite value. */
  count: number
  /** Rows without one: null, NaN, infinite. */
  nulls: number
  /** Null, as the three after it, when `count` is 0. */
  mean: number | null
  /** Population standard deviation (divisor `count`). */
  std: number | null
  min: number | null
  max: number | null
  /** Inner bin edges, ascending: bin `i` is `[edges[i-1], edges[i])`, the outer bins are open to infinity. */
  edges: number[]
  /** `edges.length + 1` counts. */
  counts: number[]
}

/** Profiles a column over the given edges or, for a reference, over its own quantiles (`quantileEdges`). */
export function profileColumn(
  name: string,
  values: readonly (number | null)[],
  edges: readonly number[] = quantileEdges(values),
): FeatureProfile {
  const { counts, missing } = countBins(values, edges)
  const present = finite(values)
  const profile = { name, count: present.length, nulls: missing, edges: [...edges], counts }
  if (present.length === 0) return { ...profile, mean: null, std: null, min: null, max: null }
  const mean = present.reduce((sum, value) => sum + value, 0) / present.length
  const squares = present.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return {
    ...profile,
    mean,
    std: Math.sqrt(squares / present.length),
    min: present.reduce((a, b) => Math.min(a, b)),
    max: present.reduce((a, b) => Math.max(a, b)),
  }
}

/**
 * The profile of both columns together; means and deviations are combined by Chan, Golub and LeVeque (1979).
 *
 * @throws RangeError when the edges differ
 */
export function mergeProfiles(a: FeatureProfile, b: FeatureProfile): FeatureProfile {
  if (a.edges.length !== b.edges.length || a.edges.some((edge, i) => edge !== b.edges[i])) {
    throw new RangeError(`Profiles of ${a.name} over different edges cannot be merged`)
  }
  const count = a.count + b.count
  const merged = { ...a, count, nulls: a.nulls + b.nulls, counts: mergeCounts(a.counts, b.counts) }
  if (a.mean === null || a.std === null || a.min === null || a.max === null) {
    return { ...merged, mean: b.mean, std: b.std, min: b.min, max: b.max }
  }
  if (b.mean === null || b.std === null || b.min === null || b.max === null) return merged
  const delta = b.mean - a.mean
  const squares = a.std ** 2 * a.count + b.std ** 2 * b.count + (delta ** 2 * a.count * b.count) / count
  return {
    ...merged,
    mean: a.mean + (delta * b.count) / count,
    std: Math.sqrt(squares / count),
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  }
}
