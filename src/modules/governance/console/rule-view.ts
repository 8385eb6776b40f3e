import { z } from 'zod'
import type { LedgerEntry } from '#platform/kernel/contract.ts'
import type { GatePolicySpec } from '../contract.ts'

/** A value that a rule read, as people read it. */
export function valueText(value: unknown): string {
  if (value === null) return 'is missing'
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(6)))
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const JudgedFacts = z.object({
  version: z.string().optional(),
  gates: z.array(z.object({ policy: z.string(), rule: z.string(), passed: z.boolean() })),
})

/** What a policy said of a version when it was to be released. */
export interface Judgement {
  entry: string
  at: string
  version: string | undefined
  outcome: LedgerEntry['outcome']
  failed: string[]
}

/** The judgements of one policy among the ledger's entries. */
export function judgementsOf(policy: string, entries: readonly LedgerEntry[]): Judgement[] {
  return entries.flatMap((entry) => {
    const facts = JudgedFacts.safeParse(entry.facts)
    const gates = facts.data?.gates.filter((gate) => gate.policy === policy) ?? []
    if (gates.length === 0) return []
    const version = entry.subjects.find(({ kind }) => kind === 'version')?.id ?? facts.data?.version
    const failed = gates.filter((gate) => !gate.passed).map((gate) => gate.rule)
    return [{ entry: entry.id, at: entry.at, version, outcome: entry.outcome, failed }]
  })
}

/** Which models a policy judges, in words. */
export function appliesText({ appliesTo: { models, tiers } }: GatePolicySpec): string {
  if (models.length === 0 && tiers.length === 0) return 'every model'
  const named = models.length > 3 ? `${models.slice(0, 3).join(', ')} and ${models.length - 3} more` : models.join(', ')
  const graded = `${models.length === 0 ? 'models of ' : ' when of '}tier ${tiers.join(' or ')}`
  return `${named}${tiers.length === 0 ? '' : graded}`
}
