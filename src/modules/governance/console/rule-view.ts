import { z } from 'zod'
import type { LedgerEntry, PendingOperation } from '#platform/kernel/contract.ts'
import type { GatePolicySpec } from '../contract.ts'

/** A value that a rule read, as people read it. */
export function valueText(value: unknown): string {
  if (value === null) return 'is missing'
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(6)))
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const Judged = z.object({
  version: z.string().optional(),
  gates: z.array(z.object({ policy: z.string(), rule: z.string(), passed: z.boolean() })),
})
/** A refusal has them among the details of its error. */
const Refused = z.object({ details: z.object({ facts: Judged }) })

/** What a policy said of a version when it was to be released. */
export interface Judgement {
  /** The ledger entry or the waiting operation that holds it. */
  kind: 'entry' | 'pending-operation'
  id: string
  at: string
  version: string | undefined
  failed: string[]
}

/** The judgements of one policy, newest first: what was refused or let pass at once, and what had to be approved. */
export function judgementsOf(
  policy: string,
  entries: readonly LedgerEntry[],
  pending: readonly Pick<z.infer<typeof PendingOperation>, 'id' | 'requestedAt' | 'evidence'>[],
): Judgement[] {
  const entered = entries.flatMap(({ id, at, facts, subjects }) =>
    judged(policy, Refused.safeParse(facts).data?.details.facts ?? facts, {
      kind: 'entry',
      id,
      at,
      version: subjects.find((subject) => subject.kind === 'version')?.id,
    }),
  )
  const waited = pending.flatMap(({ id, requestedAt, evidence }) =>
    judged(policy, evidence, { kind: 'pending-operation', id, at: requestedAt, version: undefined }),
  )
  return [...entered, ...waited].sort((a, b) => b.at.localeCompare(a.at))
}

function judged(policy: string, facts: unknown, about: Omit<Judgement, 'failed'>): Judgement[] {
  const { data } = Judged.safeParse(facts)
  const gates = data?.gates.filter((gate) => gate.policy === policy) ?? []
  if (gates.length === 0) return []
  const failed = gates.filter((gate) => !gate.passed).map((gate) => gate.rule)
  return [{ ...about, version: about.version ?? data?.version, failed }]
}

/** Which models a policy judges, in words. */
export function appliesText({ appliesTo: { models, tiers } }: GatePolicySpec): string {
  if (models.length === 0 && tiers.length === 0) return 'every model'
  const named = models.length > 3 ? `${models.slice(0, 3).join(', ')} and ${models.length - 3} more` : models.join(', ')
  const graded = `${models.length === 0 ? 'models of ' : ' when of '}tier ${tiers.join(' or ')}`
  return `${named}${tiers.length === 0 ? '' : graded}`
}
