import { chiSquareCritical, chiSquareSurvival } from './chi-square.ts'

/** How large a comparison was: rows of the reference and of the current span, and bins (at least 2). */
export interface ComparisonSize {
  reference: number
  current: number
  bins: number
}

/**
 * The chance of a population stability index at least this large when nothing drifted. Without drift
 * PSI · n·m / (n + m) is about chi-square with B − 1 degrees of freedom (B. Yurdakul and J. Naranjo, "Statistical
 * properties of the population stability index", Journal of Risk Model Validation, 2020). The approximation wants about
 * five rows per bin on each side; see `fewestRows`.
 */
export function populationStabilityPValue(index: number, size: ComparisonSize): number {
  return chiSquareSurvival(index / meanVariance(size), size.bins - 1)
}

/** The index that chance alone exceeds with probability `alpha` for comparisons of this size. */
export function populationStabilityThreshold(alpha: number, size: ComparisonSize): number {
  return chiSquareCritical(alpha, size.bins - 1) * meanVariance(size)
}

/** Rows on each side below which a comparison over so many bins should not be judged. */
export function fewestRows(bins: number): number {
  return 5 * bins
}

/**
 * The chance of a two-sample Kolmogorov-Smirnov distance at least this large without drift: Kolmogorov's limit with
 * Stephens' (1970) correction for finite samples. For continuous columns; with ties it errs on the quiet side.
 */
export function kolmogorovSmirnovPValue(distance: number, reference: number, current: number): number {
  const root = Math.sqrt((reference * current) / (reference + current))
  const x = (root + 0.12 + 0.11 / root) * distance
  // Below this the alternating series has not converged after any reasonable number of terms and is 1 to 1e-9.
  if (x < 0.2) return 1
  let sum = 0
  for (let k = 1; k <= 100; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * (k * x) ** 2)
  return Math.min(1, Math.max(0, sum))
}

function meanVariance({ reference, current }: ComparisonSize): number {
  return 1 / reference + 1 / current
}
