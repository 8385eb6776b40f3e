import { canonicalJson } from '#platform/canonical-json.ts'
import { digestOf } from '#platform/ids.ts'
import type { DatasetSpec } from './contract.ts'

/** Digest of what decides the rows of a version: descriptions, units and owners do not. */
export function contractDigestOf({ timeColumn, columns, rules, unique, derived }: DatasetSpec): string {
  return digestOf(
    canonicalJson({
      timeColumn,
      columns: mapValues(columns, ({ type, nullable }) => ({ type, nullable })),
      rules: rules.map(({ name, check, action }) => ({ name, check, action })),
      unique,
      derived: mapValues(derived, ({ type, expression }) => ({ type, expression })),
    }),
  )
}

/** Identity of a version: the same rows of the same source under the same contract. Bounds are compared as instants. */
export function fingerprintOf(made: {
  sourceDigest: string
  contractDigest: string
  from: string | null
  to: string | null
}): string {
  const instant = (time: string | null) => (time === null ? null : Date.parse(time))
  const { sourceDigest, contractDigest, from, to } = made
  return digestOf(canonicalJson({ sourceDigest, contractDigest, from: instant(from), to: instant(to) }))
}

function mapValues<V, W>(record: Record<string, V>, change: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]))
}
