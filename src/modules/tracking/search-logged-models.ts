import { type RawBuilder, sql } from 'kysely'
import {
  aLabel,
  aNumber,
  aText,
  type Comparison,
  type KeyRules,
  type Vocabulary,
} from '#algorithms/search-filter/expression.ts'
import { parseFilter, parseOrdering } from '#algorithms/search-filter/parse-filter.ts'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
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
import { describeLoggedModels, type LoggedModelRow, loggedModelColumns } from './describe-logged-models.ts'
import { trackingFailure } from './tables.ts'

type Entity = 'metric' | 'param' | 'tag' | 'attribute'
type Dataset = { name: string; digest?: string | undefined }
type ColumnType = 'text' | 'float8' | 'timestamptz'

const aTime: KeyRules = { ...aNumber, values: 'time' }

const vocabulary: Vocabulary<Entity> = {
  bare: 'attribute',
  entities: {
    metric: { written: ['metrics', 'metric'], ...aNumber },
    param: { written: ['params', 'param', 'parameters', 'parameter'], ...aLabel },
    tag: { written: ['tags', 'tag'], ...aLabel },
    attribute: {
      written: ['attributes', 'attribute', 'attr'],
      ...aText,
      keys: {
        name: aText,
        model_id: aText,
        model_type: aText,
        status: aText,
        source_run_id: aText,
        creation_time: aTime,
        creation_timestamp: { ...aTime, as: 'creation_time' },
        last_updated_time: aTime,
        last_updated_timestamp: { ...aTime, as: 'last_updated_time' },
      },
    },
  },
}

const attributes: Readonly<Record<string, { value: RawBuilder<unknown>; type: ColumnType }>> = {
  name: { value: sql`model.name`, type: 'text' },
  model_id: { value: sql`'m-' || replace(model.id::text, '-', '')`, type: 'text' },
  model_type: { value: sql`model.type`, type: 'text' },
  status: { value: sql`upper(model.status)`, type: 'text' },
  source_run_id: { value: sql`replace(model.run::text, '-', '')`, type: 'text' },
  creation_time: { value: sql`model.created_at`, type: 'timestamptz' },
  last_updated_time: { value: sql`model.updated_at`, type: 'timestamptz' },
}

/** Models without the value come last, in both directions; ids are made in the order of time and break ties. */
export const searchLoggedModels = handle(contract.searchLoggedModels, async (ctx, input) => {
  const { experiments, run, name, limit, datasets } = input
  const { matches, orderings } = compile(input.filter, input.orderBy, datasets)
  const keys: SortKey[] = [
    ...orderings.flatMap(({ value, type, descending }): SortKey[] => [
      { expression: sql`(${value} is null)::int`, type: 'int', descending: false },
      { expression: sql`coalesce(${value}, ${zero[type]})`, type, descending },
    ]),
    { expression: sql`model.id`, type: 'uuid', descending: true },
  ]
  const { rows } = await sql<LoggedModelRow & { keys: (string | number)[] }>`
    select ${loggedModelColumns}, ${sortKeyValues(keys)} as keys
    from tracking.logged_model model
    where experiment = any(${experiments.map(Number)}::int[]) and removed_at is null and ${matches}
      and (${run ?? null}::uuid is null or run = ${run ?? null})
      and (${name ?? null}::text is null or name = ${name ?? null})
      and ${afterKeys(keys, decodeCursor(input.cursor, keys.length))}
    order by ${orderBy(keys)}
    limit ${limit + 1}
  `.execute(ctx.db)
  const page = pageFrom(
    rows,
    limit,
    (row) => row,
    (row) => row.keys,
  )
  return { ...page, items: await describeLoggedModels(ctx.db, page.items) }
})

const zero = { text: sql`''`, float8: sql`'0'::float8`, timestamptz: sql`'epoch'::timestamptz` }

function compile(
  filter: string,
  orderBy: readonly { key: string; descending: boolean; dataset?: Dataset | undefined }[],
  datasets: readonly Dataset[],
) {
  return readingFilter(
    () => {
      const expression = parseFilter(filter, vocabulary)
      const orderings = orderBy.map(({ key, descending, dataset }) => {
        const ordering = parseOrdering(key, vocabulary)
        return {
          ...columnOf(ordering.entity, ordering.key, dataset === undefined ? [] : [dataset]),
          descending: descending || ordering.descending,
        }
      })
      const matches = compileFilter(expression, (comparison) => compare(comparison, datasets))
      return { matches, orderings }
    },
    (message) => trackingFailure('run_search_invalid', message),
  )
}

function columnOf(
  entity: Entity,
  key: string,
  datasets: readonly Dataset[],
): { value: RawBuilder<unknown>; type: ColumnType } {
  if (entity === 'param') return { value: sql`(model.params ->> ${key})`, type: 'text' }
  if (entity === 'tag') return { value: sql`(model.tags ->> ${key})`, type: 'text' }
  if (entity === 'metric') {
    // Of several runs that measured the model the last one counts.
    return {
      value: sql`(select metric.value from tracking.model_metric metric
        where metric.workspace = model.workspace and metric.logged_model = model.id and metric.key = ${key}
          and metric.value <> 'NaN' and ${onDataset(datasets)}
        order by metric.timestamp desc, metric.step desc limit 1)`,
      type: 'float8',
    }
  }
  const attribute = attributes[key]
  if (attribute === undefined) throw new Error(`the attribute ${key} has no column`)
  return attribute
}

function onDataset(datasets: readonly Dataset[]): RawBuilder<unknown> {
  if (datasets.length === 0) return sql`true`
  return sql`(${sql.join(
    datasets.map(
      ({ name, digest = null }) =>
        sql`(metric.dataset_name = ${name} and (${digest}::text is null or metric.dataset_digest = ${digest}))`,
    ),
    sql` or `,
  )})`
}

function compare({ entity, key, ...comparison }: Comparison<Entity>, datasets: readonly Dataset[]): Predicate {
  const { value: left, type } = columnOf(entity, key, datasets)
  const { comparator, value } = comparison
  if (type === 'text') return compareText(left, key === 'source_run_id' ? withoutDashes(comparison) : comparison)
  return sql`coalesce(${left} ${symbolOf(comparator)} ${operand(type, key, value)}::${sql.raw(type)}, false)`
}

/** Clients of MLflow write a run's id without dashes. */
function withoutDashes({ comparator, value }: Pick<Comparison, 'comparator' | 'value'>) {
  const bare = (text: string) => text.replaceAll('-', '')
  return { comparator, value: typeof value === 'string' ? bare(value) : Array.isArray(value) ? value.map(bare) : value }
}

function operand(type: 'float8' | 'timestamptz', key: string, value: Comparison['value']): string | number {
  if (type === 'float8') return Number(value)
  const time = Number.isNaN(Number(value)) ? Date.parse(String(value)) : Number(value)
  if (Math.abs(time) <= 8.64e15) return new Date(time).toISOString()
  throw trackingFailure('run_search_invalid', `${key} is compared with milliseconds since 1970 or a date`)
}
