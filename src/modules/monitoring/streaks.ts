import type { FindingKind, Metric, MonitorSpec, Severity } from './contract.ts'

/** One metric's past, newest first; windows that said nothing are left out. */
export interface Seen {
  at: string
  breached: boolean
}

/** The values of one metric out of evaluations, newest first. */
export function historyOf(
  evaluations: readonly { at: string; metrics: readonly Metric[] }[],
  { kind, feature }: Pick<Metric, 'kind' | 'feature'>,
): Seen[] {
  return evaluations.flatMap(({ at, metrics }) => {
    const metric = metrics.find((one) => one.kind === kind && one.feature === feature)
    return metric === undefined || metric.breached === null ? [] : [{ at, breached: metric.breached }]
  })
}

/** What the newest windows amount to: a finding since a window, none any more, or nothing new. */
export function judgeHistory(
  history: readonly Seen[],
  consecutive: number,
): { verdict: 'found'; since: string } | { verdict: 'clear' } | { verdict: 'undecided' } {
  const change = history.findIndex(({ breached }) => breached !== history[0]?.breached)
  const streak = change === -1 ? history : history.slice(0, change)
  const first = streak.at(-1)
  if (first === undefined) return { verdict: 'undecided' }
  if (first.breached)
    return streak.length >= consecutive ? { verdict: 'found', since: first.at } : { verdict: 'undecided' }
  return streak.length > consecutive ? { verdict: 'clear' } : { verdict: 'undecided' }
}

export function consecutiveOf(spec: MonitorSpec, kind: FindingKind): number {
  const declared = {
    drift: spec.drift,
    prediction_drift: spec.predictionDrift,
    performance: spec.performance,
    calibration: spec.calibration,
  }[kind]
  return declared?.consecutive ?? 1
}

/** Worse predictions hurt; inputs that moved only may. */
export function severityOf(kind: FindingKind, value: number, threshold: number): Severity {
  if (kind === 'performance') return 'high'
  if (kind === 'calibration' || kind === 'prediction_drift') return 'medium'
  return value >= 2 * threshold ? 'medium' : 'low'
}
