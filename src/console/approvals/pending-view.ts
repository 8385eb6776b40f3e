import type { PendingOperation } from '../../platform/kernel/contract.ts'
import type { Tone } from '../design/state.tsx'

export const tones: Record<PendingOperation['state'], Tone> = {
  pending: 'warn',
  done: 'good',
  rejected: 'bad',
  failed: 'bad',
  lapsed: 'idle',
  cancelled: 'idle',
}

/** What an operation would change, as far as its input names it: kind and id of a ledger subject. */
export function subjectsOf(input: unknown): { kind: string; id: string }[] {
  const field = (name: string): string | undefined => {
    const value: unknown = typeof input === 'object' && input !== null ? Reflect.get(input, name) : undefined
    return typeof value === 'string' ? value : undefined
  }
  const [environment, endpoint] = [field('environment'), field('endpoint')]
  const place = environment !== undefined && endpoint !== undefined ? `${environment}/${endpoint}` : undefined
  return [
    { kind: 'version', id: field('version') },
    { kind: 'endpoint', id: place },
    { kind: 'release', id: field('release') },
    { kind: 'model', id: field('model') },
    { kind: 'dataset', id: field('dataset') },
    { kind: 'pipeline', id: field('pipeline') },
  ].filter((subject): subject is { kind: string; id: string } => subject.id !== undefined)
}

/** How many have approved so far, of how many that it takes. */
export function approvalsOf({ approvals, quorum }: PendingOperation): string {
  return `${approvals.filter(({ decision }) => decision === 'approve').length} of ${quorum}`
}

export interface Gate {
  policy: string
  rule: string
  passed: boolean
  values: readonly { name: string; value: string }[]
}

/** The gates of the evidence, with the numbers that decided; other evidence is left to be shown as it is. */
export function gatesOf(evidence: Readonly<Record<string, unknown>>): Gate[] {
  const { gates } = evidence
  if (!Array.isArray(gates)) return []
  return gates.flatMap((gate: unknown): Gate[] => {
    if (typeof gate !== 'object' || gate === null) return []
    const { policy, rule, passed, values } = Object.fromEntries(Object.entries(gate))
    const named = typeof values === 'object' && values !== null ? Object.entries(values) : []
    return [
      {
        policy: String(policy ?? ''),
        rule: String(rule ?? ''),
        passed: passed === true,
        values: named.map(([name, value]) => ({ name, value: numberOf(value) })),
      },
    ]
  })
}

const numberOf = (value: unknown) => (typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value))

const shownElsewhere = new Set(['gates', 'excluded', 'version', 'policies'])

/** What else the approval binds to. */
export function otherEvidence(evidence: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(evidence).filter(([name]) => !shownElsewhere.has(name)))
}
