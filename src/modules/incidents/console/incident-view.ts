import type { Tone } from '../../../console/design/state.tsx'
import type { Incident, TimelineItem } from '../contract.ts'

export const severityTones: Record<Incident['severity'], Tone> = { low: 'idle', medium: 'warn', high: 'bad' }

/** Where an incident stands, in a word. */
export function stateOf({ state, mitigatedAt }: Pick<Incident, 'state' | 'mitigatedAt'>): { tone: Tone; word: string } {
  if (state === 'resolved') return { tone: 'good', word: 'resolved' }
  return mitigatedAt === null ? { tone: 'bad', word: 'not mitigated' } : { tone: 'warn', word: 'mitigated' }
}

/** How long it took, in milliseconds; undefined while it has not happened. */
export function timesOf({
  openedAt,
  mitigatedAt,
  resolvedAt,
}: Pick<Incident, 'openedAt' | 'mitigatedAt' | 'resolvedAt'>) {
  const since = (at: string | null) => (at === null ? undefined : Math.max(0, Date.parse(at) - Date.parse(openedAt)))
  return { mitigated: since(mitigatedAt), resolved: since(resolvedAt) }
}

export type TimelineKind = 'harm' | 'change' | 'relief' | 'comment' | 'other'

/** What a moment of the timeline is to somebody who looks for a cause: what changed, what hurt, what helped. */
export function kindOf({ what, outcome, facts }: Pick<TimelineItem, 'what' | 'outcome' | 'facts'>): TimelineKind {
  if (what === 'comment') return 'comment'
  if (outcome !== 'done') return 'other'
  if (what === 'open-incident') return 'harm'
  if (what === 'raise-finding') return facts['severity'] === 'high' ? 'harm' : 'other'
  if (['rollback-release', 'resolve-incident', 'mitigate-incident'].includes(what)) return 'relief'
  return ['start-release', 'advance-release'].includes(what) || /^(put|set|register|delete)-/.test(what)
    ? 'change'
    : 'other'
}

/** What an entry says beyond its name, from the facts that it holds. */
export function sentenceOf({ facts }: Pick<TimelineItem, 'facts'>): string {
  const { reason, how, note, state, weight, kind, feature, value, threshold } = facts
  const told = [reason, how, note].filter((text) => typeof text === 'string' && text !== '')
  if (typeof state === 'string' && typeof weight === 'number') {
    told.unshift(state === 'canary' ? `${weight / 100} % of the requests` : state.replace('-', ' '))
  }
  if (typeof kind === 'string' && typeof value === 'number' && typeof threshold === 'number') {
    const what = [kind.replaceAll('_', ' '), feature].filter((word) => typeof word === 'string').join(' of ')
    told.push(`${what} is ${value.toFixed(3)}, the limit is ${threshold.toFixed(3)}`)
  }
  return told.join(' · ')
}
