import { basisPoints, type Endpoint, type Guardrails, type Release, type Strategy, type Verdict } from '../contract.ts'

export interface Stage {
  /** `shadow`, a share in basis points, or `all`. */
  name: 'shadow' | 'all' | number
  state: 'done' | 'current' | 'failed' | 'ahead'
}

/** The way of a release through its strategy. A first version has nothing to be compared with and gets all traffic at once. */
export function stagesOf(release: Release): Stage[] {
  const { strategy } = release
  const names: Stage['name'][] = [
    ...(strategy.shadow === null || release.previous === null ? [] : ['shadow' as const]),
    ...(release.previous === null ? [] : strategy.steps.map((step) => basisPoints(step.weight))),
    'all',
  ]
  const reached = names.indexOf(nameOf(lastStage(release)))
  return names.map((name, index) => ({ name, state: stateOf(release, index, reached) }))
}

function stateOf(release: Release, index: number, reached: number): Stage['state'] {
  if (index < reached) return 'done'
  if (index > reached) return 'ahead'
  if (release.state === 'rolled-back') return 'failed'
  return release.state === 'completed' ? 'done' : 'current'
}

/** Where the release is, or was when it was rolled back. */
function lastStage(release: Release): { state: Release['state']; weight: number } {
  return release.history.findLast((moment) => moment.state !== 'rolled-back') ?? release
}

function nameOf({ state, weight }: { state: Release['state']; weight: number }): Stage['name'] {
  if (state === 'shadow') return 'shadow'
  return state === 'completed' ? 'all' : weight
}

export const isRunning = (release: Release): boolean => release.state === 'shadow' || release.state === 'canary'

/** Shares of the answers in basis points, and of the requests that are copied to a shadow. */
export interface Traffic {
  answering: { version: string; variant: string; weight: number }[]
  shadows: { version: string; sample: number }[]
}

export function trafficOf(endpoint: Pick<Endpoint, 'traffic' | 'spec'>): Traffic {
  const sample = basisPoints(endpoint.spec.strategy.shadow?.sample ?? '0%')
  return {
    answering: endpoint.traffic.filter(({ variant, weight }) => variant !== 'shadow' && weight > 0),
    shadows: endpoint.traffic.filter(({ variant }) => variant === 'shadow').map(({ version }) => ({ version, sample })),
  }
}

/** The verdict of each declared guardrail, `no-data` for those that were not judged yet. */
export function guardrailsOf(release: Release): Verdict[] {
  const limits = limitsOf(release.strategy.guardrails)
  const unjudged = limits.filter(
    ({ guardrail }) => !release.verdicts.some((verdict) => verdict.guardrail === guardrail),
  )
  return [
    ...release.verdicts,
    ...unjudged.map((limit) => ({ ...limit, verdict: 'no-data' as const, value: null, feature: null, rows: 0 })),
  ]
}

function limitsOf({ errorRate, latencyP99Ms, inputShift }: Guardrails): { guardrail: string; limit: number }[] {
  return [
    ...(errorRate === undefined ? [] : [{ guardrail: 'errorRate', limit: basisPoints(errorRate) / 10_000 }]),
    ...(latencyP99Ms === undefined ? [] : [{ guardrail: 'latencyP99Ms', limit: latencyP99Ms }]),
    ...(inputShift === undefined ? [] : [{ guardrail: 'inputShift', limit: inputShift.excess }]),
  ]
}

export type VersionState = 'serving' | 'shadow' | 'canary' | 'previous' | 'rolled back' | 'served before' | 'registered'

/** What a version is to an endpoint; `releases` are the endpoint's, newest first. */
export function versionState(
  ref: string,
  endpoint: Pick<Endpoint, 'version'>,
  releases: readonly Release[],
): VersionState {
  const latest = releases.find((release) => release.version === ref)
  if (latest?.state === 'shadow' || latest?.state === 'canary') return latest.state
  if (endpoint.version === ref) return 'serving'
  if (latest?.state === 'rolled-back') return 'rolled back'
  if (target(endpoint, releases) === ref) return 'previous'
  return latest === undefined ? 'registered' : 'served before'
}

/** What a rollback would go back to, when no release is running. */
function target(endpoint: Pick<Endpoint, 'version'>, releases: readonly Release[]): string | null {
  const serving = releases.find((release) => release.version === endpoint.version && release.state === 'completed')
  return serving?.previous ?? null
}

/** What a rollback would do, or undefined when there is nothing to roll back. */
export function rollbackOf(
  endpoint: Pick<Endpoint, 'version' | 'release'>,
): { from: string; to: string | null; release: string } | undefined {
  const { release, version } = endpoint
  if (release === null || release.state === 'rolled-back') return undefined
  if (isRunning(release)) return { from: release.version, to: version, release: release.id }
  return release.previous === null ? undefined : { from: release.version, to: release.previous, release: release.id }
}

/** How long the rest of a step takes at the pace of the step so far; undefined before there is a pace. */
export function stepTimeLeft(
  { step, needed }: { step: number; needed: number },
  elapsedMs: number,
): number | undefined {
  if (step === 0 || elapsedMs <= 0) return undefined
  return (Math.max(0, needed - step) * elapsedMs) / step
}

/** The steps of a release with when each ended: the last one of a running release lasts still. */
export function stepsOf(release: Release): (Release['history'][number] & { until: string | null })[] {
  return release.history.map((moment, index) => ({
    ...moment,
    until: release.history[index + 1]?.at ?? (isRunning(release) ? null : release.endedAt),
  }))
}

/** What a release by this strategy does, step by step, in sentences. */
export function planOf(strategy: Strategy, serving: string | null): string[] {
  if (serving === null) return ['It serves all traffic at once: there is nothing to compare it with.']
  const { shadow, steps, guardrails } = strategy
  const rows = (requests: number) => `until it has ${requests.toLocaleString('en')} rows and every guardrail holds`
  const limits = limitsOf(guardrails).length
  return [
    ...(shadow === null
      ? []
      : [
          `It gets copies of ${shadow.sample.replace('%', ' %')} of the requests and answers nobody, ${rows(shadow.requests)}.`,
        ]),
    ...steps.map(
      ({ weight, requests }) => `It answers ${weight.replace('%', ' %')} of the requests, ${rows(requests)}.`,
    ),
    `It answers all requests in place of ${serving}.`,
    limits === 0
      ? 'No guardrail is declared: it never goes back by itself.'
      : `If one of ${limits} guardrail${limits === 1 ? '' : 's'} breaks on the way, ${serving} gets all requests back at once.`,
  ]
}
