import { fewestRows, populationStabilityThreshold } from '#algorithms/statistics/drift-null.ts'
import { populationStabilityIndex } from '#algorithms/statistics/population-stability-index.ts'

/** Of a thousand windows without drift, one may breach. */
const alpha = 0.001

/** Counts over the same bins, and how many rows had no value: that is a bin too, so that missing features show. */
export interface Distribution {
  counts: readonly number[]
  nulls: number
}

export interface Drift {
  /** Population stability index; null without rows on either side. */
  value: number | null
  /** The declared threshold, or what chance alone exceeds with probability 0.001 at this size, if that is more. */
  threshold: number
  /** Null when there are too few rows to tell. */
  breached: boolean | null
  rows: number
}

/** Live values against those that a version was trained on. */
export function measureDrift(
  reference: Distribution,
  live: Distribution,
  { threshold: declared, minimum }: { threshold: number; minimum: number },
): Drift {
  const expected = [...reference.counts, reference.nulls]
  const actual = [...live.counts, live.nulls]
  const size = {
    reference: total(expected),
    current: total(actual),
    bins: Math.max(2, expected.filter((count, bin) => count + (actual[bin] ?? 0) > 0).length),
  }
  const value = populationStabilityIndex(expected, actual)
  if (value === null) return { value, threshold: declared, breached: null, rows: size.current }
  const threshold = Math.max(declared, populationStabilityThreshold(alpha, size))
  const enough = size.current >= Math.max(minimum, fewestRows(size.bins)) && size.reference >= fewestRows(size.bins)
  return { value, threshold, breached: enough ? value >= threshold : null, rows: size.current }
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
