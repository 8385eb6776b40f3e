import { type RawBuilder, sql } from 'kysely'
import { RE2JS } from 're2js'
import type { Comparison, Expression, Ordering, Vocabulary } from '#algorithms/search-filter/expression.ts'
import { FilterError, parseFilter, parseOrdering } from '#algorithms/search-filter/parse-filter.ts'
import { tracesFailure } from './tables.ts'

type Sql = RawBuilder<unknown>

const symbols = { '=': '=', '!=': '<>', '<': '<', '<=': '<=', '>': '>', '>=': '>=' } as const

/** A text, which may be null, compared as MLflow does: without a value nothing holds but `is null`. */
export function compareText(left: Sql, { comparator, value }: Pick<Comparison, 'comparator' | 'value'>): Sql {
  if (comparator === 'is null') return sql`${left} is null`
  if (comparator === 'is not null') return sql`${left} is not null`
  if (comparator === 'in') return sql`coalesce(${left} = any(${value}::text[]), false)`
  if (comparator === 'not in') return sql`coalesce(${left} <> all(${value}::text[]), false)`
  if (comparator === 'like' || comparator === 'ilike') {
    return sql`coalesce(${left} ${sql.raw(comparator)} ${likePattern(String(value))}, false)`
  }
  if (comparator === 'rlike') throw new Error('a pattern is matched outside of the database')
  return sql`coalesce(${left} ${sql.raw(symbols[comparator])} ${String(value)}, false)`
}

/** A number or an instant in milliseconds. */
export function compareNumber(left: Sql, { comparator, value, column }: Comparison): Sql {
  if (!Object.hasOwn(symbols, comparator)) throw new Error('the vocabulary lets numbers be compared as numbers only')
  const number = typeof value === 'string' ? Date.parse(value) : Number(value)
  if (!Number.isFinite(number)) throw new FilterError(column, 'expected milliseconds since 1970 or a date in quotes')
  return sql`coalesce(${left} ${sql.raw(symbols[comparator as keyof typeof symbols])} ${number}::float8, false)`
}

/** In MLflow a backslash in a pattern is a backslash. */
const likePattern = (pattern: string): string => pattern.replaceAll('\\', '\\\\')

/** Whether a text matches a pattern of LIKE, in time that grows with both and not with their product's powers. */
export function matchesLike(text: string, pattern: string): boolean {
  let [at, inPattern] = [0, 0]
  let [retryAt, retryInPattern] = [0, -1]
  while (at < text.length) {
    const wanted = pattern[inPattern]
    if (wanted === '%') {
      retryInPattern = ++inPattern
      retryAt = at
    } else if (wanted === '_' || wanted === text[at]) {
      at++
      inPattern++
    } else if (retryInPattern < 0) return false
    else {
      inPattern = retryInPattern
      at = ++retryAt
    }
  }
  while (pattern[inPattern] === '%') inPattern++
  return inPattern === pattern.length
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
  try {
    return read()
  } catch (error) {
    throw error instanceof FilterError ? tracesFailure('trace_search_invalid', error.message) : error
  }
}

/** Sort keys are never null. */
export interface SortKey {
  expression: Sql
  type: 'int' | 'bigint' | 'text' | 'uuid' | 'timestamptz'
  descending: boolean
}

/** What may lack a value comes last in both directions. */
export function nullableKeys(expression: Sql, type: 'bigint' | 'text', descending: boolean): SortKey[] {
  const nothing = type === 'text' ? sql`''` : sql`0`
  return [
    { expression: sql`(case when ${expression} is null then 1 else 0 end)`, type: 'int', descending: false },
    { expression: sql`coalesce(${expression}, ${nothing})`, type, descending },
  ]
}

export function orderBy(keys: readonly SortKey[]): Sql {
  return sql.join(
    keys.map(
      ({ expression, type, descending }) =>
        sql`${expression} ${type === 'text' ? sql`collate "C"` : sql``} ${sql.raw(descending ? 'desc' : 'asc')}`,
    ),
  )
}

/** What comes after the row with these sort keys. */
export function afterKeys(keys: readonly SortKey[], values: readonly (string | number)[]): Sql {
  const compare = ({ expression, type }: SortKey, symbol: string, value: unknown) =>
    sql`${expression} ${sql.raw(symbol)} ${value}::${sql.raw(type)} ${type === 'text' ? sql`collate "C"` : sql``}`
  const steps = keys.map((key, index) => {
    const equal = keys.slice(0, index).map((before, at) => sql`${compare(before, '=', values[at])} and `)
    return sql`(${sql.join(equal, sql``)}${compare(key, key.descending ? '<' : '>', values[index])})`
  })
  return sql`(${sql.join(steps, sql` or `)})`
}
