import { sql } from 'kysely'
import {
  aLabel,
  aText,
  type Comparison,
  equality,
  order,
  type Vocabulary,
} from '#algorithms/search-filter/expression.ts'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import {
  afterKeys,
  compareText,
  compileFilter,
  orderBy,
  type Predicate,
  type SortKey,
  sortKeyValues,
} from '#platform/search-sql.ts'
import * as contract from './contract.ts'
import { type EvaluationDatasetRow, evaluationDatasetColumns, evaluationDatasetOf } from './evaluation-dataset-row.ts'
import { compareNumber, readFilter, reading, readOrder } from './search-sql.ts'

type Entity = 'attribute' | 'tag'

const time = { values: 'time', comparators: [...equality, ...order] } as const

const vocabulary: Vocabulary<Entity> = {
  bare: 'attribute',
  entities: {
    attribute: {
      written: ['attribute', 'attributes', 'dataset'],
      ...aText,
      keys: {
        name: aText,
        created_time: { ...time, as: 'created_at' },
        last_update_time: { ...time, as: 'updated_at' },
        created_by: aText,
        last_updated_by: { ...aText, as: 'updated_by' },
      },
    },
    tag: { written: ['tag', 'tags'], ...aLabel },
  },
}

export const searchEvaluationDatasets = handle(contract.searchEvaluationDatasets, async (ctx, input) => {
  const filter = readFilter(input.filter, vocabulary)
  const keys = readOrder(input.orderBy, vocabulary).map(({ key, descending }): SortKey => {
    const isTime = key === 'created_at' || key === 'updated_at'
    const column = sql`dataset.${sql.ref(key)}`
    if (isTime) return { expression: column, type: 'timestamptz', descending }
    return { expression: sql`${column} collate "C"`, type: 'text', descending }
  })
  if (keys.length === 0) keys.push({ expression: sql`dataset.created_at`, type: 'timestamptz', descending: true })
  keys.push({ expression: sql`dataset.id`, type: 'uuid', descending: true })
  const after = decodeCursor(input.cursor, keys.length)
  const conditions = [
    ...(input.experiments === undefined ? [] : [sql`dataset.experiments && ${input.experiments.map(Number)}::int[]`]),
    reading(() => compileFilter(filter, compare)),
    afterKeys(keys, after),
  ]
  const { rows } = await sql<EvaluationDatasetRow & { sort_keys: (string | number)[] }>`
    select ${evaluationDatasetColumns}, ${sortKeyValues(keys)} as sort_keys
    from traces.evaluation_dataset dataset where ${sql.join(conditions, sql` and `)}
    order by ${orderBy(keys)} limit ${input.limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, input.limit, evaluationDatasetOf, (row) => row.sort_keys)
})

function compare(comparison: Comparison<Entity>): Predicate {
  const { entity, key } = comparison
  if (entity === 'tag') return compareText(sql`(dataset.tags ->> ${key})`, comparison)
  const column = sql`dataset.${sql.ref(key)}`
  if (key.endsWith('_at')) return compareNumber(sql`(extract(epoch from ${column}) * 1000)`, comparison)
  return compareText(sql`${column}::text`, comparison)
}
