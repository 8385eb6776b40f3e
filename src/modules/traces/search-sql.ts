import { type RawBuilder, sql } from 'kysely'
import { RE2JS } from 're2js'
import type { Comparison, Expression, Ordering, Vocabulary } from '#algorithms/search-filter/expression.ts'
import { matchesLike } from '#algorithms/search-filter/matches-like.ts'
import { FilterError, parseFilter, parseOrdering } from '#algorithms/search-filter/parse-filter.ts'
import { type Predicate, readingFilter, type SortKey, symbolOf } from '#platform/search-sql.ts'
import { tracesFailure } from './tables.ts'

type Sql = RawBuilder<unknown>

/** A number or an instant in milliseconds. */
export function compareNumber(left: Sql, { comparator, value, column }: Comparison): Predicate {
  const number = typeof value === 'string' ? Date.parse(value) : Number(value)
  if (!Number.isFinite(number)) throw new FilterError(column, 'expected milliseconds since 1970 or a date in quotes')
  return sql`coalesce(${left} ${symbolOf(comparator)} ${number}::float8, false)`
}

/** The same comparisons outside of the database, RLIKE by RE2 among them. */
export function testText({ comparator, value, column }: Comparison): (text: string) => boolean {
  const wanted = String(value)
  if (comparator === '=') return (text) => text === wanted
  if (comparator === '!=') return (text) => text !== wanted
  if (comparator === 'like') return likeTest(wanted, (text) => text)
  if (comparator === 'ilike') return likeTest(wanted.toLowerCase(), (text) => text.toLowerCase())
  const list = Array.isArray(value) ? new Set<string>(value) : new Set<string>()
  if (comparator === 'in') return (text) => list.has(text)
  if (comparator === 'not in') return (text) => !list.has(text)
  if (comparator !== 'rlike') throw new Error(`a text is not compared with ${comparator}`)
  try {
    const pattern = RE2JS.compile(wanted)
    return (text) => pattern.matcher(text).find()
  } catch {
    throw new FilterError(column, 'the pattern is no regular expression that RE2 knows')
  }
}

function likeTest(pattern: string, read: (text: string) => string): (text: string) => boolean {
  const [, inside] = /^%([^%_]+)%$/.exec(pattern) ?? []
  return inside === undefined ? (text) => matchesLike(read(text), pattern) : (text) => read(text).includes(inside)
}

export function readFilter<E extends string>(filter: string, vocabulary: Vocabulary<E>): Expression<E> | undefined {
  return reading(() => parseFilter(filter, vocabulary))
}

export function readOrder<E extends string>(terms: readonly string[], vocabulary: Vocabulary<E>): Ordering<E>[] {
  return reading(() => terms.map((term) => parseOrdering(term, vocabulary)))
}

/** What a filter says wrong is the caller's error. */
export function reading<T>(read: () => T): T {
  return readingFilter(read, (message) => tracesFailure('trace_search_invalid', message))
}

/** What may lack a value comes last in both directions. */
export function nullableKeys(expression: Sql, type: 'bigint' | 'text', descending: boolean): SortKey[] {
  const value = type === 'text' ? sql`coalesce(${expression}, '') collate "C"` : sql`coalesce(${expression}, 0)`
  return [
    { expression: sql`(case when ${expression} is null then 1 else 0 end)`, type: 'int', descending: false },
    { expression: value, type, descending },
  ]
}
