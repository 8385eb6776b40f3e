import { populationStabilityThreshold } from '#algorithms/statistics/drift-null.ts'
import { type LatencyHistogram, latencyQuantile } from '#algorithms/statistics/latency-histogram.ts'
import { populationStabilityIndex } from '#algorithms/statistics/population-stability-index.ts'
import { basisPoints, type Guardrails, type Verdict } from './contract.ts'

/** What a version did in the release's time, summed over the endpoint's traffic. */
export interface Observed {
  rows: number
  errors: number
  fallbacks: number
  latency: LatencyHistogram
  /** Live counts over the bins of the version's own training profile, by feature. */
  features: ReadonlyMap<string, readonly number[]>
}

/** A version's training profile: counts of each feature over the same bins. */
export type Reference = ReadonlyMap<string, readonly number[]>

/** Fewest rows that a rate or a quantile is judged on. */
export const fewestRows = 50

/** The verdict of each guardrail on the candidate; pure, so that it can be replayed from what the ledger holds. */
export function judge(
  guardrails: Guardrails,
  candidate: Observed,
  candidateReference: Reference,
  current: Observed | undefined,
  currentReference: Reference,
): Verdict[] {
  const verdicts: Verdict[] = []
  const add = (
    guardrail: string,
    value: number | null,
    limit: number,
    enough: boolean,
    feature: string | null = null,
  ) =>
    verdicts.push({
      guardrail,
      verdict: !enough || value === null || Number.isNaN(value) ? 'no-data' : value > limit ? 'fail' : 'pass',
      value,
      limit,
      feature,
      rows: candidate.rows,
    })
  const enough = candidate.rows >= fewestRows
  if (guardrails.errorRate !== undefined) {
    const rate = candidate.rows === 0 ? null : (candidate.errors + candidate.fallbacks) / candidate.rows
    add('errorRate', rate, basisPoints(guardrails.errorRate) / 10_000, enough)
  }
  if (guardrails.latencyP99Ms !== undefined) {
    add('latencyP99Ms', latencyQuantile(candidate.latency, 0.99), guardrails.latencyP99Ms, enough)
  }
  if (guardrails.inputShift !== undefined) {
    const { excess, minimum, exclude } = guardrails.inputShift
    const worst = largestExcess(candidate, candidateReference, current, currentReference, new Set(exclude))
    const seen = candidate.rows >= minimum && (current === undefined || current.rows >= minimum)
    add('inputShift', worst?.excess ?? null, excess, seen, worst?.feature ?? null)
  }
  return verdicts
}

/**
 * The feature whose stability index is furthest above what the serving version shows on the same traffic, or above what
 * chance alone gives on so few rows, whichever is more.
 */
function largestExcess(
  candidate: Observed,
  candidateReference: Reference,
  current: Observed | undefined,
  currentReference: Reference,
  exclude: ReadonlySet<string>,
): { feature: string; excess: number } | undefined {
  let worst: { feature: string; excess: number } | undefined
  for (const [feature, live] of candidate.features) {
    if (exclude.has(feature)) continue
    const own = shift(candidateReference.get(feature), live)
    if (own === null) continue
    const usual = current && shift(currentReference.get(feature), current.features.get(feature))
    const excess = own - Math.max(usual ?? 0, chanceAlone(candidateReference.get(feature), live))
    if (worst === undefined || excess > worst.excess) worst = { feature, excess }
  }
  return worst
}

/** A thousand features without any shift have one above this. */
function chanceAlone(reference: readonly number[] = [], live: readonly number[]): number {
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0)
  const size = { reference: total(reference), current: total(live), bins: Math.max(2, live.length) }
  return populationStabilityThreshold(0.001, size)
}

function shift(reference: readonly number[] | undefined, live: readonly number[] | undefined): number | null {
  if (reference === undefined || live === undefined || reference.length !== live.length) return null
  return populationStabilityIndex(reference, live)
}
