import type { z } from 'zod'
import type { PartialScope, Role } from '../contract.ts'

/** What each role may do, in a line. */
export const roles: Readonly<Record<Role, string>> = {
  viewer: 'reads everything in its scope',
  contributor: 'reads everything, and makes datasets, features, runs and models',
  operator: 'what a contributor does, and releases, rolls back, handles incidents',
  approver: 'reads everything and decides on what waits for approval',
  admin: 'may do everything, people and tokens included',
  node: 'serves predictions: for inference nodes',
}

export const scopeKinds = ['everywhere', 'environment', 'endpoint', 'model', 'dataset', 'pipeline'] as const

export type ScopeKind = (typeof scopeKinds)[number]

type Scope = z.output<typeof PartialScope>

/** An endpoint is named with its environment: `prod/flight-delays`. */
export function scopeOf(kind: ScopeKind, name: string): Scope {
  if (kind === 'everywhere') return {}
  if (kind !== 'endpoint') return { [kind]: name.trim() }
  const [environment = '', endpoint = ''] = name.trim().split('/')
  return { environment, endpoint }
}

export function scopeText(scope: Scope): string {
  const named = Object.entries(scope)
  return named.length === 0 ? 'everywhere' : named.map(([kind, name]) => `${kind} ${name}`).join(', ')
}

const list = new Intl.ListFormat('en')
const plural = (noun: string): string => `${noun.replace(/y$/, 'ie')}s`

/** The verbs of a grant in words: `dataset:*`, `approval:decide`. */
export function verbsText(verbs: readonly string[]): string {
  if (verbs.includes('*')) return 'everything'
  const parted = verbs.filter((verb) => verb !== '*:read').map((verb) => verb.split(':'))
  const whole = parted.flatMap(([object = '', action]) => (action === '*' ? [plural(object)] : []))
  const single = parted.flatMap(([object = '', action]) => (action === '*' ? [] : [`${action} ${plural(object)}`]))
  return [
    ...(verbs.includes('*:read') ? ['read everything'] : []),
    ...(whole.length > 0 ? [`make and change ${list.format(whole)}`] : []),
    ...single,
  ].join('; ')
}
