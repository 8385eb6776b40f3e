/** Counts of a numeric column over fixed bins, with the values that no bin can hold kept apart. */
export interface BinnedCounts {
  /** `edges.length + 1` counts; see `binOf`. */
  counts: number[]
  /** Null, NaN and infinite values. */
  missing: number
}

/**
 * Inner bin edges at the quantiles of a reference, so that each bin holds about the same share of it. Bin `i` is
 * `[edges[i-1], edges[i])` and the outer bins are open to infinity, so no later value falls outside. Ties make fewer
 * bins: an edge is used once, and none is put at the minimum, where it would leave the first bin empty.
 */
export function quantileEdges(reference: Iterable<number | null>, bins = 10): number[] {
  const sorted = finite(reference).sort()
  const lowest = sorted[0]
  if (lowest === undefined) return []
  const edges: number[] = []
  for (let i = 1; i < bins; i++) {
    const edge = sorted[Math.floor((i * sorted.length) / bins)] ?? lowest
    if (edge > (edges.at(-1) ?? lowest)) edges.push(edge)
  }
  return edges
}

/** The bin of a finite value: how many edges are at or below it. */
export function binOf(value: number, edges: readonly number[]): number {
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((edges[middle] ?? 0) <= value) low = middle + 1
    else high = middle
  }
  return low
}

export function countBins(values: Iterable<number | null>, edges: readonly number[]): BinnedCounts {
  const counts = new Array<number>(edges.length + 1).fill(0)
  let missing = 0
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) missing += 1
    else {
      const bin = binOf(value, edges)
      counts[bin] = (counts[bin] ?? 0) + 1
    }
  }
  return { counts, missing }
}

/** @throws RangeError when the counts are over different numbers of bins */
export function mergeCounts(a: readonly number[], b: readonly number[]): number[] {
  if (a.length !== b.length) throw new RangeError(`Counts over ${a.length} and ${b.length} bins cannot be merged`)
  return a.map((count, i) => count + (b[i] ?? 0))
}

/** The finite values of a column. */
export function finite(values: Iterable<number | null>): Float64Array {
  return Float64Array.from([...values].filter((value): value is number => value !== null && Number.isFinite(value)))
}
