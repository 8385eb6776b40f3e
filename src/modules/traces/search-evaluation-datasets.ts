import { type RawBuilder, sql } from 'kysely'
import {
  aLabel,
  aText,
  type Comparison,
  equality,
  foldExpression,
  order,
  type Vocabulary,
} from '#algorithms/search-filter/expression.ts'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type EvaluationDatasetRow, evaluationDatasetColumns, evaluationDatasetOf } from './evaluation-dataset-row.ts'
import {
  afterKeys,
  compareNumber,
  compareText,
  orderBy,
  readFilter,
  reading,
  readOrder,
  type SortKey,
} from './search-sql.ts'

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
    return { expression: sql`dataset.${sql.ref(key)}`, type: isTime ? 'timestamptz' : 'text', descending }
  })
  if (keys.length === 0) keys.push({ expression: sql`dataset.created_at`, type: 'timestamptz', descending: true })
  keys.push({ expression: sql`dataset.id`, type: 'uuid', descending: true })
  const after = decodeCursor(input.cursor, keys.length)
  const conditions = [
    sql`true`,
    ...(input.experiments === undefined ? [] : [sql`dataset.experiments && ${input.experiments.map(Number)}::int[]`]),
    ...(filter === undefined ? [] : [reading(() => foldExpression(filter, toSql))]),
    ...(after === undefined ? [] : [afterKeys(keys, after)]),
  ]
  const { rows } = await sql<EvaluationDatasetRow & { sort_keys: (string | number)[] }>`
    select ${evaluationDatasetColumns}, jsonb_build_array(${sql.join(keys.map((key) => key.expression))}) as sort_keys
    from traces.evaluation_dataset dataset where ${sql.join(conditions, sql` and `)}
    order by ${orderBy(keys)} limit ${input.limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, input.limit, evaluationDatasetOf, (row) => row.sort_keys)
})

const toSql = {
  comparison(one: Comparison<Entity>): RawBuilder<unknown> {
    if (one.entity === 'tag') return compareText(sql`(dataset.tags ->> ${one.key})`, one)
    const column = sql`dataset.${sql.ref(one.key)}`
    if (one.key.endsWith('_at')) return compareNumber(sql`(extract(epoch from ${column}) * 1000)`, one)
    return compareText(sql`${column}::text`, one)
  },
  and: (terms: RawBuilder<unknown>[]) => sql`(${sql.join(terms, sql` and `)})`,
  or: (terms: RawBuilder<unknown>[]) => sql`(${sql.join(terms, sql` or `)})`,
  not: (term: RawBuilder<unknown>) => sql`not ${term}`,
}
