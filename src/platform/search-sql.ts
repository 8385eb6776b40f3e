import { type RawBuilder, sql } from 'kysely'
import {
  type Comparator,
  type Comparison,
  type Expression,
  foldExpression,
} from '#algorithms/search-filter/expression.ts'

import { FilterError } from '#algorithms/search-filter/parse-filter.ts'

export type Predicate = RawBuilder<boolean>

/** A filter as a predicate that is never null, if those of its comparisons are not. */
export function compileFilter<Entity extends string>(
  expression: Expression<Entity> | undefined,
  comparison: (comparison: Comparison<Entity>) => Predicate,
): Predicate {
  if (expression === undefined) return sql`true`
  return foldExpression<Entity, Predicate>(expression, {
    comparison,
    and: (terms) => sql`(${sql.join(terms, sql` and `)})`,
    or: (terms) => sql`(${sql.join(terms, sql` or `)})`,
    not: (term) => sql`not ${term}`,
  })
}

const symbols = { '=': '=', '!=': '<>', '<': '<', '<=': '<=', '>': '>', '>=': '>=' } as const

function isSymbol(comparator: Comparator): comparator is keyof typeof symbols {
  return Object.hasOwn(symbols, comparator)
}

/** What is wrong in a filter is its writer's error, which `failure` makes of what the parser says. */
export function readingFilter<T>(read: () => T, failure: (message: string) => Error): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof FilterError ? failure(error.message) : error
  }
}

/** `=`, `!=` and the four of order, as PostgreSQL writes them. */
export function symbolOf(comparator: Comparator): RawBuilder<unknown> {
  if (!isSymbol(comparator)) throw new Error(`${comparator} does not stand between two values`)
  return sql.raw(symbols[comparator])
}

/** A text that may be missing: what is not there meets `is null` alone. In MLflow a backslash in a pattern is a backslash. */
export function compareText(
  left: RawBuilder<unknown>,
  { comparator, value }: Pick<Comparison, 'comparator' | 'value'>,
): Predicate {
  if (comparator === 'is null') return sql`(${left} is null)`
  if (comparator === 'is not null') return sql`(${left} is not null)`
  if (comparator === 'in') return sql`coalesce(${left} = any(${value}::text[]), false)`
  if (comparator === 'not in') return sql`coalesce(${left} <> all(${value}::text[]), false)`
  if (comparator === 'rlike') throw new Error('a regular expression is matched outside of the database')
  if (comparator === 'like' || comparator === 'ilike') {
    return sql`coalesce(${left} ${sql.raw(comparator)} ${String(value).replaceAll('\\', '\\\\')}, false)`
  }
  return sql`coalesce(${left} ${symbolOf(comparator)} ${String(value)}, false)`
}

/** One of the values that rows are ordered by; it is never null. */
export interface SortKey {
  expression: RawBuilder<unknown>
  type: 'int' | 'bigint' | 'float8' | 'text' | 'timestamptz' | 'uuid'
  descending: boolean
}

export function orderBy(keys: readonly SortKey[]): RawBuilder<unknown> {
  return sql.join(keys.map(({ expression, descending }) => sql`${expression} ${sql.raw(descending ? 'desc' : 'asc')}`))
}

/** The sort keys of a row, as a cursor keeps them. */
export function sortKeyValues(keys: readonly SortKey[]): RawBuilder<unknown> {
  return sql`jsonb_build_array(${sql.join(keys.map(({ expression }) => expression))})`
}

/** What comes after the row with these sort keys; the first part is what an index can begin at. */
export function afterKeys(keys: readonly SortKey[], values: readonly (string | number)[] | undefined): Predicate {
  const [first] = keys
  if (first === undefined || values === undefined) return sql`true`
  const given = keys.map(({ type }, index) => sql`${values[index] ?? null}::${sql.raw(type)}`)
  const steps = keys.map(({ expression, descending }, index) => {
    const equal = keys.slice(0, index).map((before, at) => sql`${before.expression} = ${given[at]} and `)
    return sql`(${sql.join(equal, sql``)}${expression} ${sql.raw(descending ? '<' : '>')} ${given[index]})`
  })
  const begin = sql`${first.expression} ${sql.raw(first.descending ? '<=' : '>=')} ${given[0]}`
  return sql`(${begin} and (${sql.join(steps, sql` or `)}))`
}
