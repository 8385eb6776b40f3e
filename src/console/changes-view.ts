import type { LedgerEntry } from '../platform/kernel/contract.ts'
import type { Tone } from './design/state.tsx'

/** What somebody who was away wants to know of, and nothing that happens by the minute. */
export const changes = [
  'start-release',
  'advance-release',
  'rollback-release',
  'register-version',
  'set-alias',
  'delete-alias',
  'undo-alias-move',
  'put-endpoint',
  'put-monitor',
  'put-policy',
  'put-model',
  'put-pipeline',
  'put-feature-view',
  'put-feature-service',
  'put-dataset',
  'raise-finding',
  'open-incident',
  'resolve-incident',
  'approve',
  'reject',
  'create-principal',
  'bind-role',
] as const

type Subject = LedgerEntry['subjects'][number]

export interface Change {
  tone: Tone
  /** A sentence: words, and things that can be gone to; `label` where their id says nothing to people. */
  parts: (string | (Subject & { label?: string }))[]
}

/** An entry as a sentence; undefined when it says nothing new, as a finding that is seen again does. */
export function changeOf(entry: LedgerEntry): Change | undefined {
  const { operation, outcome, facts = {} } = entry
  const one = (kind: string, label?: string): Change['parts'] =>
    entry.subjects
      .filter((subject) => subject.kind === kind)
      .slice(0, 1)
      .map((subject) => (label === undefined ? subject : { ...subject, label }))
  const onEndpoint = (verb: string) => [
    ...one('version'),
    ` ${verb} `,
    ...one('endpoint'),
    ', ',
    ...one('release', 'release'),
  ]
  if (outcome === 'refused' && operation === 'start-release') {
    return { tone: 'warn', parts: ['A release to ', ...one('endpoint'), ` was refused: ${words(entry.errorCode)}`] }
  }
  if (outcome !== 'done') return undefined
  switch (operation) {
    case 'start-release':
      return { tone: 'busy', parts: onEndpoint('began its way to') }
    case 'advance-release':
      return facts['state'] === 'completed' ? { tone: 'good', parts: onEndpoint('serves all of') } : undefined
    case 'rollback-release': {
      const by = facts['automatic'] === true ? ' (by Pave)' : ''
      return { tone: 'bad', parts: [...onEndpoint('was rolled back from'), `${by}: ${said(facts['reason'])}`] }
    }
    case 'register-version':
      return facts['alreadyRegistered'] === true
        ? undefined
        : { tone: 'idle', parts: [...one('version'), ' was registered'] }
    case 'raise-finding': {
      if (facts['new'] !== true) return undefined
      const what = [words(facts['kind']), said(facts['feature'])].filter((word) => word !== '').join(' of ')
      return { tone: 'warn', parts: [...one('finding', `Finding: ${what}`), ' on ', ...one('endpoint')] }
    }
    case 'open-incident':
      return facts['alreadyOpen'] === true
        ? undefined
        : { tone: 'bad', parts: [...one('incident', said(facts['incident'])), ' was opened on ', ...one('endpoint')] }
    case 'resolve-incident':
      return { tone: 'good', parts: [...one('incident', said(facts['incident'])), ' was resolved'] }
    case 'set-alias':
    case 'delete-alias':
    case 'undo-alias-move': {
      const taken = operation === 'delete-alias' || facts['to'] === null
      return {
        tone: 'idle',
        parts: [`The alias ${said(facts['alias'])} was ${taken ? 'taken from' : 'moved to'} `, ...one('version')],
      }
    }
    case 'approve':
    case 'reject': {
      const verb = operation === 'approve' ? 'approved' : 'rejected'
      return { tone: 'idle', parts: [...one('pending-operation', said(facts['operation'])), ` was ${verb}`] }
    }
    case 'create-principal':
      return { tone: 'idle', parts: ['A person, service account or node was added'] }
    case 'bind-role':
      return { tone: 'idle', parts: [`The role ${said(facts['role'])} was given`] }
    default: {
      const [subject] = entry.subjects
      if (subject === undefined) return undefined
      const done = operation.startsWith('put-') ? 'was declared' : `: ${operation}`
      return { tone: 'idle', parts: [`${words(subject.kind)} `, subject, ` ${done}`] }
    }
  }
}

const said = (value: unknown): string => (typeof value === 'string' ? value : '')

const words = (value: unknown): string => said(value).replaceAll(/[-_]/g, ' ')
