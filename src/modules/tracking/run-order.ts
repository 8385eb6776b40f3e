import { type RawBuilder, sql } from 'kysely'
import type { Ordering } from '#algorithms/search-filter/expression.ts'
import type { SortKey } from '#platform/search-sql.ts'
import { runValue } from './compile-run-filter.ts'
import type { RunEntity } from './run-expression.ts'

/** Newest first, and by id when begun at one moment. */
const newestFirst: readonly SortKey[] = [
  { expression: sql`run.started_at`, type: 'timestamptz', descending: true },
  { expression: sql`run.id`, type: 'uuid', descending: false },
]

/** First whether there is a number, NaN or nothing, then the value itself; ties are broken by newest and by id. */
export function sortKeysOf(orders: readonly Ordering<RunEntity>[]): SortKey[] {
  return [...orders.flatMap(sortKeysOfOne), ...newestFirst]
}

/** The tables that sort keys of these orderings read, joined to `run`. */
export function sortJoins(orders: readonly Ordering<RunEntity>[]): RawBuilder<unknown> {
  const joins = orders.map(({ entity, key }, index) => {
    if (!hasTable(entity)) return sql``
    const [table, name] = [sql.table(entity === 'metric' ? 'tracking.run_metric' : 'tracking.param'), nameOf(index)]
    return sql` left join ${table} ${name}
      on ${name}.workspace = run.workspace and ${name}.run = run.id and ${name}.key = ${key}`
  })
  return sql.join(joins, sql``)
}

const hasTable = (entity: RunEntity) => entity === 'metric' || entity === 'param'
const nameOf = (index: number) => sql.id(`sort_${index}`)

function sortKeysOfOne({ entity, key, descending }: Ordering<RunEntity>, index: number): SortKey[] {
  const type = typeOf(entity, key)
  const value = hasTable(entity) ? sql`${nameOf(index)}.value` : runValue(entity, key)
  if (type === 'timestamptz' && key === 'startedAt') return [{ expression: value, type, descending }]
  const unlike = { float8: sql`'0'`, text: sql`''`, timestamptz: sql`'epoch'`, uuid: sql`${'0'.repeat(32)}` }[type]
  const rank =
    type === 'float8'
      ? sql`case when ${value} is null then 2 when ${value} = 'NaN' then 1 else 0 end`
      : sql`case when ${value} is null then 2 else 0 end`
  return [
    { expression: rank, type: 'int', descending: false },
    { expression: sql`coalesce(${value}, ${unlike}::${sql.raw(type)})`, type, descending },
  ]
}

function typeOf(entity: RunEntity, key: string) {
  if (entity === 'metric') return 'float8'
  if (entity === 'attribute' && (key === 'startedAt' || key === 'endedAt')) return 'timestamptz'
  return entity === 'attribute' && (key === 'run' || key === 'author') ? 'uuid' : 'text'
}
