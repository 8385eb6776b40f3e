import { type RawBuilder, sql } from 'kysely'
import type { RunCondition, RunOrder } from './contract.ts'
import { trackingFailure } from './tables.ts'

interface Attribute {
  column: RawBuilder<unknown>
  type: 'uuid' | 'text' | 'timestamptz'
}

const attributes = new Map<string, Attribute>([
  ['run', { column: sql`run.id`, type: 'uuid' }],
  ['name', { column: sql`run.name`, type: 'text' }],
  ['status', { column: sql`run.status`, type: 'text' }],
  ['author', { column: sql`run.author`, type: 'uuid' }],
  ['startedAt', { column: sql`run.started_at`, type: 'timestamptz' }],
  ['endedAt', { column: sql`run.ended_at`, type: 'timestamptz' }],
])

/** A predicate over `tracking.run as run`; a run without the key does not meet the condition. */
export function predicateOf(condition: RunCondition): RawBuilder<boolean> {
  const { field, key } = condition
  if (field === 'metric') {
    const comparison = compare(sql`metric.value`, condition, 'float8')
    return sql`exists (select 1 from tracking.latest_metric metric
      where metric.workspace = run.workspace and metric.run = run.id and metric.key = ${key}
        and metric.value <> 'NaN' and ${comparison})`
  }
  if (field === 'param') {
    const comparison = compare(sql`param.value`, condition, 'text')
    return sql`exists (select 1 from tracking.param param
      where param.workspace = run.workspace and param.run = run.id and param.key = ${key} and ${comparison})`
  }
  if (field === 'tag') return sql`coalesce(${compare(sql`run.tags ->> ${key}`, condition, 'text')}, false)`
  const { column, type } = attributeOf(key)
  return sql`coalesce(${compare(column, condition, type)}, false)`
}

/** Sort keys that are never null: first whether there is a number, NaN or nothing, then the value itself. */
export interface SortKey {
  expression: RawBuilder<unknown>
  type: 'int' | 'float8' | 'text' | 'timestamptz' | 'uuid'
  descending: boolean
}

/** Numbers, then NaN, then runs without the key, in both directions; ties are broken by newest and by id. */
export function sortKeysOf(orders: readonly RunOrder[]): SortKey[] {
  return [
    ...orders.flatMap(sortKeysOfOne),
    { expression: sql`run.started_at`, type: 'timestamptz', descending: true },
    { expression: sql`run.id`, type: 'uuid', descending: false },
  ]
}

function sortKeysOfOne({ field, key, descending }: RunOrder): SortKey[] {
  const value = sortValue(field, key)
  const type = field === 'metric' ? 'float8' : field === 'attribute' ? attributeOf(key).type : 'text'
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

function sortValue(field: RunOrder['field'], key: string): RawBuilder<unknown> {
  if (field === 'attribute') return attributeOf(key).column
  if (field === 'tag') return sql`(run.tags ->> ${key})`
  const table = sql.table(field === 'metric' ? 'tracking.latest_metric' : 'tracking.param')
  return sql`(select one.value from ${table} one
    where one.workspace = run.workspace and one.run = run.id and one.key = ${key})`
}

/** What comes after the row with these sort keys. */
export function afterKeys(keys: readonly SortKey[], values: readonly (string | number)[]): RawBuilder<boolean> {
  const steps = keys.map(({ expression, type, descending }, index) => {
    const equal = keys
      .slice(0, index)
      .map((before, at) => sql`${before.expression} = ${values[at] ?? null}::${sql.raw(before.type)} and `)
    const beyond = sql`${expression} ${sql.raw(descending ? '<' : '>')} ${values[index] ?? null}::${sql.raw(type)}`
    return sql`(${sql.join(equal, sql``)}${beyond})`
  })
  return sql`(${sql.join(steps, sql` or `)})`
}

export function orderBy(keys: readonly SortKey[]): RawBuilder<unknown> {
  return sql.join(keys.map(({ expression, descending }) => sql`${expression} ${sql.raw(descending ? 'desc' : 'asc')}`))
}

function compare(
  left: RawBuilder<unknown>,
  { field, key, comparator, value }: RunCondition,
  type: Attribute['type'] | 'float8',
): RawBuilder<unknown> {
  const named = `${field} ${key}`
  if (comparator === 'in' || comparator === 'not in') {
    if (!Array.isArray(value) || type === 'float8') throw invalid(`${named} ${comparator} needs a list of texts`)
    const among = sql`${left}::text = any(${value}::text[])`
    return comparator === 'in' ? among : sql`not (${among})`
  }
  if (Array.isArray(value)) throw invalid(`${named} ${comparator} cannot take a list`)
  if (type === 'float8' && typeof value !== 'number') throw invalid(`${named} is compared with a number`)
  if (comparator === 'like' || comparator === 'ilike') {
    if (type === 'float8') throw invalid(`${named} is a number: compare it with = != < <= > >=`)
    return sql`${left}::text ${sql.raw(comparator)} ${String(value)}`
  }
  if (type === 'timestamptz') {
    if (Number.isNaN(Date.parse(String(value)))) throw invalid(`${named} is compared with an instant`)
    return sql`${left} ${sql.raw(symbols[comparator])} ${String(value)}::timestamptz`
  }
  if (type === 'float8') return sql`${left} ${sql.raw(symbols[comparator])} ${value}::float8`
  return sql`${left}::text ${sql.raw(symbols[comparator])} ${String(value)}`
}

const symbols = { '=': '=', '!=': '<>', '<': '<', '<=': '<=', '>': '>', '>=': '>=' } as const

function attributeOf(key: string): Attribute {
  const attribute = attributes.get(key)
  if (attribute === undefined) throw invalid(`There is no attribute ${key}`)
  return attribute
}

function invalid(message: string) {
  return trackingFailure('run_search_invalid', message)
}
