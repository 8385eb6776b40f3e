import {
  aLabel,
  aNumber,
  aText,
  type Comparison,
  type Expression,
  equality,
  foldExpression,
  lists,
  type Ordering,
  patterns,
  type Vocabulary,
} from '#algorithms/search-filter/expression.ts'
import { FilterError, parseFilter, parseOrdering } from '#algorithms/search-filter/parse-filter.ts'
import { readingFilter } from '#platform/search-sql.ts'
import type { RunOrder } from './contract.ts'
import { trackingFailure } from './tables.ts'

export type RunEntity = 'metric' | 'param' | 'tag' | 'attribute' | 'dataset'
export type RunExpression = Expression<RunEntity>

const aTime = { ...aNumber, values: 'time' } as const

/** What MLflow and Pave call the parts of a run. */
const vocabulary: Vocabulary<RunEntity> = {
  bare: 'attribute',
  entities: {
    metric: { written: ['metrics', 'metric'], ...aNumber },
    param: { written: ['params', 'param', 'parameters', 'parameter'], ...aLabel },
    tag: { written: ['tags', 'tag'], ...aLabel },
    attribute: {
      written: ['attributes', 'attribute', 'attr', 'run'],
      ...aText,
      keys: {
        run_id: { ...aText, as: 'run' },
        run: aText,
        run_name: { ...aText, as: 'name' },
        'run name': { ...aText, as: 'name' },
        'Run name': { ...aText, as: 'name' },
        'Run Name': { ...aText, as: 'name' },
        name: aText,
        status: aText,
        user_id: { ...aText, as: 'user' },
        author: aText,
        start_time: { ...aTime, as: 'startedAt' },
        created: { ...aTime, as: 'startedAt' },
        Created: { ...aTime, as: 'startedAt' },
        startedAt: aTime,
        end_time: { ...aTime, as: 'endedAt' },
        endedAt: aTime,
      },
    },
    dataset: {
      written: ['datasets', 'dataset'],
      values: 'text',
      comparators: [...equality, ...patterns, ...lists],
      keys: { name: aText, digest: aText, context: aText },
    },
  },
}

/** A filter as a tree, with values as the tables have them; undefined when it says nothing. */
export function runExpression(filter: string): RunExpression | undefined {
  return refusing(() => {
    const parsed = parseFilter(filter, vocabulary)
    if (parsed === undefined) return undefined
    return foldExpression<RunEntity, RunExpression>(parsed, {
      comparison: translated,
      and: (inner) => ({ kind: 'and', terms: inner }),
      or: (inner) => ({ kind: 'or', terms: inner }),
      not: (term) => ({ kind: 'not', term }),
    })
  })
}

export function runOrderings(orders: readonly RunOrder[], written: readonly string[]): Ordering<RunEntity>[] {
  const structured = orders.map(({ field, key, descending }) => {
    const known = vocabulary.entities.attribute.keys ?? {}
    if (field === 'attribute' && !Object.hasOwn(known, key)) throw invalid(`There is no attribute ${key}`)
    return { entity: field, key: field === 'attribute' ? (known[key]?.as ?? key) : key, descending }
  })
  const parsed = refusing(() => written.map((term) => parseOrdering(term, vocabulary)))
  if (parsed.some(({ entity }) => entity === 'dataset')) throw invalid('Runs cannot be ordered by their datasets')
  return [...structured, ...parsed]
}

/** What must hold whatever else does: the terms that the whole tree joins by AND. */
export function requiredComparisons(expression: RunExpression | undefined): Comparison<RunEntity>[] {
  if (expression === undefined) return []
  if (expression.kind === 'comparison') return [expression]
  return expression.kind === 'and' ? expression.terms.flatMap(requiredComparisons) : []
}

function translated(comparison: Comparison<RunEntity>): Comparison<RunEntity> {
  const { entity, key, value, column } = comparison
  if (entity === 'tag' && key === 'mlflow.runName') return { ...comparison, entity: 'attribute', key: 'name' }
  if (entity !== 'attribute' || value === null) return comparison
  if (key === 'startedAt' || key === 'endedAt') return { ...comparison, value: instantOf(value, column) }
  const translate = (text: string) => {
    if (key === 'run' || key === 'author') return uuidOf(text)
    return key === 'status' ? text.toLowerCase() : text
  }
  return { ...comparison, value: typeof value === 'object' ? value.map(translate) : translate(String(value)) }
}

/** Clients of MLflow write a run's id without dashes. */
function uuidOf(text: string): string {
  const hex = text.replaceAll('-', '').toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(hex)) return text
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** Clients of MLflow write a time in milliseconds; people write a date. */
function instantOf(value: unknown, column: number): string {
  const time = Number.isNaN(Number(value)) ? Date.parse(String(value)) : Number(value)
  if (Math.abs(time) <= 8.64e15) return new Date(time).toISOString()
  throw new FilterError(column, `${value} is not a time: write a date, or milliseconds since 1970`)
}

function refusing<T>(read: () => T): T {
  return readingFilter(read, invalid)
}

function invalid(message: string) {
  return trackingFailure('run_search_invalid', message)
}
