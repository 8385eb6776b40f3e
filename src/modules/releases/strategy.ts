import { basisPoints, type Release, type Strategy, type Verdict } from './contract.ts'

/** Where a release stands: its state, the step, and the candidate's share in basis points. */
export interface Stage {
  state: 'shadow' | 'canary' | 'completed'
  step: number | null
  weight: number
}

const everything: Stage = { state: 'completed', step: null, weight: 10_000 }

/** A first version has nothing to be compared with and serves at once; every other starts at the strategy's first stage. */
export function firstStage(strategy: Strategy, previous: string | null): Stage {
  if (previous === null) return everything
  if (strategy.shadow !== null) return { state: 'shadow', step: null, weight: 0 }
  return canaryStage(strategy, 0)
}

export function nextStage(strategy: Strategy, now: Pick<Stage, 'state' | 'step'>): Stage {
  if (now.state === 'completed') return everything
  return canaryStage(strategy, now.state === 'shadow' ? 0 : (now.step ?? 0) + 1)
}

function canaryStage(strategy: Strategy, step: number): Stage {
  const wanted = strategy.steps[step]
  return wanted === undefined ? everything : { state: 'canary', step, weight: basisPoints(wanted.weight) }
}

/** Rows that the candidate must have answered, or shadowed, in a stage before it moves on. */
export function rowsNeeded(
  strategy: Strategy,
  { state, step }: { state: Release['state']; step: number | null },
): number {
  if (state === 'shadow') return strategy.shadow?.requests ?? 0
  return strategy.steps[step ?? 0]?.requests ?? 0
}

/**
 * Guardrails that keep a release from its last stage because they have nothing to judge by: all traffic only for what
 * every guardrail has judged.
 */
export function unjudged(
  { state, step, strategy }: { state: Release['state']; step: number | null; strategy: Strategy },
  verdicts: readonly Verdict[],
): string[] {
  if (state === 'rolled-back' || nextStage(strategy, { state, step }).state !== 'completed') return []
  return verdicts.filter((verdict) => verdict.verdict === 'no-data').map((verdict) => verdict.guardrail)
}

/** Why a strategy makes no sense, or undefined. */
export function strategyProblem(strategy: Strategy): string | undefined {
  let last = 0
  for (const [index, { weight }] of strategy.steps.entries()) {
    const share = basisPoints(weight)
    if (share <= last) return `step ${index + 1} gives ${weight}, which is not more than the step before`
    if (share >= 10_000) return `step ${index + 1} gives all traffic; that is what comes after the last step by itself`
    last = share
  }
  return undefined
}
