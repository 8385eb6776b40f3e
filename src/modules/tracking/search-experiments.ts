import { type RawBuilder, sql } from 'kysely'
import { aLabel, aNumber, aText, type Comparison, type Vocabulary } from '#algorithms/search-filter/expression.ts'
import { FilterError, parseFilter, parseOrdering } from '#algorithms/search-filter/parse-filter.ts'
import { handle } from '#platform/context.ts'
import { decodeCursor, folderTag, pageFrom } from '#platform/names.ts'
import {
  afterKeys,
  compareText,
  compileFilter,
  orderBy,
  type Predicate,
  readingFilter,
  type SortKey,
  sortKeyValues,
  symbolOf,
} from '#platform/search-sql.ts'
import * as contract from './contract.ts'
import { type ExperimentRow, experimentColumns, experimentOf, trackingFailure } from './tables.ts'

type Entity = 'attribute' | 'tag'

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
  const predicate = refusing(() => compileFilter(parseFilter(input.filter, vocabulary), predicateOf))
  const keys = refusing(() => [...input.order.map(sortKeyOf), newestFirst])
  const after = decodeCursor(input.cursor, keys.length)
  const { rows } = await sql<ExperimentRow & { sort_keys: (string | number)[] }>`
    select ${experimentColumns},
           ${sortKeyValues(keys)} as sort_keys
    from tracking.experiment
    where (${input.state} = 'all' or state = ${input.state}) and ${predicate}
      and ${afterKeys(keys, after)}
    order by ${orderBy(keys)} limit ${input.limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, input.limit, experimentOf, (row) => row.sort_keys)
})

function predicateOf({ entity, key, ...comparison }: Comparison<Entity>): Predicate {
  if (entity === 'tag') return compareText(tagValue(key), comparison)
  const column = columns.get(key)
  if (column?.type === 'float8') {
    return sql`(${column.expression} ${symbolOf(comparison.comparator)} ${comparison.value}::float8)`
  }
  return compareText(sql`${column?.expression}::text`, comparison)
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
  return readingFilter(read, (message) => trackingFailure('experiment_search_invalid', message))
}
