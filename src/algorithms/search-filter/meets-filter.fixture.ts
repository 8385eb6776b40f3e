// What a filter means, said the plain way: what searches by SQL are held to.

import { type Comparison, type Expression, foldExpression } from './expression.ts'
import { matchesLike } from './matches-like.ts'

/** Whether a thing meets the filter; `find` answers what it has under a key, and undefined for what it lacks. */
export function meetsFilter<Entity extends string>(
  expression: Expression<Entity> | undefined,
  find: (entity: Entity, key: string) => string | number | undefined,
): boolean {
  if (expression === undefined) return true
  return foldExpression<Entity, boolean>(expression, {
    comparison: (comparison) => holds(comparison, find(comparison.entity, comparison.key)),
    and: (terms) => terms.every((term) => term),
    or: (terms) => terms.some((term) => term),
    not: (term) => !term,
  })
}

function holds({ comparator, value }: Comparison, actual: string | number | undefined): boolean {
  if (comparator === 'is null') return actual === undefined
  if (actual === undefined) return false
  if (comparator === 'is not null') return true
  if (comparator === 'in' || comparator === 'not in') {
    return (Array.isArray(value) && value.includes(String(actual))) === (comparator === 'in')
  }
  if (comparator === 'like') return matchesLike(String(actual), String(value))
  if (comparator === 'ilike') return matchesLike(String(actual).toLowerCase(), String(value).toLowerCase())
  if (comparator === 'rlike') throw new Error('a regular expression is for the database to match')
  const [left, right] = typeof actual === 'number' ? [actual, Number(value)] : [actual, String(value)]
  if (comparator === '=') return left === right
  if (comparator === '!=') return left !== right
  if (comparator === '<') return left < right
  if (comparator === '<=') return left <= right
  return comparator === '>' ? left > right : left >= right
}
