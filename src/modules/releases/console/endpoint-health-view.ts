import type { EndpointHealth } from '../contract.ts'

export interface Health {
  tone: 'good' | 'bad' | 'warn' | 'busy' | 'idle'
  /** One or two words. */
  word: string
  /** What there is to know beyond the word, most urgent first. */
  reasons: string[]
}

type Judged = Omit<EndpointHealth, 'environment' | 'endpoint' | 'model'>

/** Fewest rows on which an error share or a latency says anything. */
const fewestRows = 50

/** What an engineer on call should make of an endpoint; `unmitigated` are its open incidents whose harm may go on. */
export function healthOf(endpoint: Judged, incidents: { open: number; unmitigated: number }): Health {
  const bad: string[] = []
  const warn: string[] = []
  const { nodes, recent, limits, openFindings, release } = endpoint
  if (incidents.unmitigated > 0) bad.push(many(incidents.unmitigated, 'incident', 'not mitigated'))
  if (nodes.failing > 0) bad.push(`${many(nodes.failing, 'node')} cannot load a version`)
  const errorShare = shareOfErrors(recent)
  if (limits.errorRate !== null && errorShare !== null && errorShare > limits.errorRate) {
    bad.push('errors above the limit')
  }
  const p99 = recent?.latencyMs.p99 ?? null
  if (limits.latencyP99Ms !== null && p99 !== null && p99 > limits.latencyP99Ms && enough(recent)) {
    bad.push('latency above the limit')
  }
  if (incidents.open > incidents.unmitigated) {
    warn.push(`${many(incidents.open - incidents.unmitigated, 'incident', 'open')}, mitigated`)
  }
  if (nodes.overridden > 0) warn.push(`override on ${many(nodes.overridden, 'node')}`)
  if (endpoint.version !== null && nodes.total === 0) warn.push('no node has reported')
  if (nodes.lag > 0) warn.push(`${many(nodes.total - nodes.current, 'node')} behind the serving plan`)
  if (openFindings > 0) warn.push(many(openFindings, 'finding', 'open'))
  const reasons = [...bad, ...warn]
  if (bad.length > 0) return { tone: 'bad', word: 'in trouble', reasons }
  if (endpoint.version === null && release === null) return { tone: 'idle', word: 'not released', reasons }
  if (warn.length > 0) return { tone: 'warn', word: 'look at it', reasons }
  if (release !== null) return { tone: 'busy', word: 'releasing', reasons }
  if (recent === null) return { tone: 'idle', word: 'no requests yet', reasons }
  return { tone: 'good', word: 'healthy', reasons }
}

/** Errors and fallbacks of all answers; null where there are too few to tell. */
export function shareOfErrors(recent: EndpointHealth['recent']): number | null {
  return recent !== null && enough(recent) ? (recent.errors + recent.fallbacks) / recent.rows : null
}

const enough = (recent: EndpointHealth['recent']): boolean => recent !== null && recent.rows >= fewestRows

const many = (count: number, noun: string, state?: string): string =>
  `${count} ${state === undefined ? '' : `${state} `}${noun}${count === 1 ? '' : 's'}`

const order: Health['tone'][] = ['bad', 'warn', 'busy', 'idle', 'good']

/** Trouble first, then by name. */
export function byUrgency<Row extends { health: Health; name: string }>(rows: readonly Row[]): Row[] {
  return [...rows].sort(
    (a, b) => order.indexOf(a.health.tone) - order.indexOf(b.health.tone) || a.name.localeCompare(b.name),
  )
}
