// What a filter means, said the plain way: what searches by SQL are held to.

import { type Comparison, type Expression, foldExpression } from './expression.ts'

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
  if (comparator === 'like') return isLike(String(actual), String(value))
  if (comparator === 'ilike') return isLike(String(actual).toLowerCase(), String(value).toLowerCase())
  if (comparator === 'rlike') throw new Error('a regular expression is for the database to match')
  const [left, right] = typeof actual === 'number' ? [actual, Number(value)] : [actual, String(value)]
  if (comparator === '=') return left === right
  if (comparator === '!=') return left !== right
  if (comparator === '<') return left < right
  if (comparator === '<=') return left <= right
  return comparator === '>' ? left > right : left >= right
}

/**
 * LIKE as SQL has it: `%` is any text, `_` any character, a backslash takes the meaning from what follows. It goes back
 * to the last `%` only, so that no pattern can keep it busy for longer than text times pattern.
 */
export function isLike(text: string, pattern: string): boolean {
  const characters = [...text]
  const parts = partsOf(pattern)
  let [at, part, resumeAt, resumePart] = [0, 0, 0, -1]
  while (at < characters.length) {
    const wanted = parts[part]
    if (wanted === anyText) {
      resumePart = ++part
      resumeAt = at
    } else if (wanted !== undefined && (wanted === one || wanted === characters[at])) {
      part++
      at++
    } else if (resumePart >= 0) {
      part = resumePart
      at = ++resumeAt
    } else {
      return false
    }
  }
  return parts.slice(part).every((rest) => rest === anyText)
}

const anyText = Symbol('any text')
const one = Symbol('any character')

function partsOf(pattern: string): (string | symbol)[] {
  const parts: (string | symbol)[] = []
  const characters = [...pattern]
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? ''
    if (character === '%') parts.push(anyText)
    else if (character === '_') parts.push(one)
    else if (character === '\\') parts.push(characters[++at] ?? '\\')
    else parts.push(character)
  }
  return parts
}
