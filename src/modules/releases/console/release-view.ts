import {
  basisPoints,
  type Endpoint,
  type EndpointSpec,
  type Guardrails,
  type Release,
  type Strategy,
  type Verdict,
} from '../contract.ts'

export interface Stage {
  /** `shadow`, a share in basis points, or `all`. */
  name: 'shadow' | 'all' | number
  state: 'done' | 'current' | 'failed' | 'ahead'
}

/** The way of a release through its strategy. A first version has nothing to be compared with and gets all traffic at once. */
export function stagesOf(strategy: Strategy, release: Release): Stage[] {
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
export function guardrailsOf(spec: EndpointSpec, release: Release): Verdict[] {
  const limits = limitsOf(spec.strategy.guardrails)
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
