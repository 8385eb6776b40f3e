import { type RawBuilder, sql } from 'kysely'
import {
  aLabel,
  aNumber,
  aText,
  type Comparison,
  foldExpression,
  type Vocabulary,
} from '#algorithms/search-filter/expression.ts'
import { FilterError, parseFilter, parseOrdering } from '#algorithms/search-filter/parse-filter.ts'
import { handle } from '#platform/context.ts'
import { decodeCursor, folderTag, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { afterKeys, orderBy, type SortKey } from './run-order.ts'
import { type ExperimentRow, experimentColumns, experimentOf, trackingFailure } from './tables.ts'

type Entity = 'attribute' | 'tag'
type Predicate = RawBuilder<boolean>

/** Times are numbers here as in MLflow: milliseconds since 1970. */
const vocabulary: Vocabulary<Entity> = {
  bare: 'attribute',
  entities: {
    attribute: {
      written: ['attribute', 'attributes', 'attr'],
      ...aText,
      keys: { name: aText, folder: aText, experiment_id: aText, creation_time: aNumber, last_update_time: aNumber },
    },
    tag: { written: ['tags', 'tag'], ...aLabel },
  },
}

const columns = new Map<string, Omit<SortKey, 'descending'>>([
  ['name', { expression: sql`name`, type: 'text' }],
  ['folder', { expression: sql`folder`, type: 'text' }],
  ['experiment_id', { expression: sql`id`, type: 'int' }],
  ['creation_time', { expression: milliseconds('created_at'), type: 'float8' }],
  ['last_update_time', { expression: milliseconds('updated_at'), type: 'float8' }],
])

const newestFirst: SortKey = { expression: sql`id`, type: 'int', descending: true }

export const searchExperiments = handle(contract.searchExperiments, async (ctx, input) => {
  const predicate = refusing(() => predicateOf(input.filter))
  const keys = refusing(() => [...input.order.map(sortKeyOf), newestFirst])
  const after = decodeCursor(input.cursor, keys.length)
  const { rows } = await sql<ExperimentRow & { sort_keys: (string | number)[] }>`
    select ${experimentColumns},
           jsonb_build_array(${sql.join(keys.map(({ expression }) => expression))}) as sort_keys
    from tracking.experiment
    where (${input.state} = 'all' or state = ${input.state}) and ${predicate}
      and ${after === undefined ? sql`true` : afterKeys(keys, after)}
    order by ${orderBy(keys)} limit ${input.limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, input.limit, experimentOf, (row) => row.sort_keys)
})

function predicateOf(filter: string): Predicate {
  const expression = parseFilter(filter, vocabulary)
  if (expression === undefined) return sql`true`
  return foldExpression<Entity, Predicate>(expression, {
    comparison: predicateOfOne,
    and: (terms) => sql`(${sql.join(terms, sql` and `)})`,
    or: (terms) => sql`(${sql.join(terms, sql` or `)})`,
    not: (term) => sql`not ${term}`,
  })
}

function predicateOfOne({ entity, key, comparator, value, column: at }: Comparison<Entity>): Predicate {
  const column = columns.get(key)
  const left = entity === 'tag' ? tagValue(key) : sql`${column?.expression}`
  if (comparator === 'is null') return sql`(${left} is null)`
  if (comparator === 'is not null') return sql`(${left} is not null)`
  if (comparator === 'in') return sql`coalesce(${left}::text = any(${value}::text[]), false)`
  if (comparator === 'not in') return sql`coalesce(not ${left}::text = any(${value}::text[]), false)`
  const symbol = sql.raw(comparator === '!=' ? '<>' : comparator)
  if (entity === 'attribute' && column?.type === 'float8') return sql`(${left} ${symbol} ${value}::float8)`
  if (comparator.endsWith('like') && /(?:^|[^\\])(?:\\\\)*\\$/.test(String(value))) {
    throw new FilterError(at, 'a pattern must not end with a single backslash')
  }
  return sql`coalesce(${left}::text ${symbol} ${value}, false)`
}

/** The folder is a tag to clients of MLflow. */
function tagValue(key: string): RawBuilder<unknown> {
  return key === folderTag ? sql`nullif(folder, '')` : sql`(tags ->> ${key})`
}

function sortKeyOf(term: string): SortKey {
  const { entity, key, descending } = parseOrdering(term, vocabulary)
  const column = entity === 'attribute' ? columns.get(key) : undefined
  if (column === undefined) throw new FilterError(1, 'experiments are ordered by their attributes alone')
  return { ...column, descending }
}

function milliseconds(column: string): RawBuilder<unknown> {
  return sql`floor(extract(epoch from ${sql.ref(column)}) * 1000)::float8`
}

function refusing<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof FilterError ? trackingFailure('experiment_search_invalid', error.message) : error
  }
}
