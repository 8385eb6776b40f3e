import { type RawBuilder, sql } from 'kysely'
import type { Comparison } from '#algorithms/search-filter/expression.ts'
import { compareText, compileFilter, type Predicate, symbolOf } from '#platform/search-sql.ts'
import type { RunEntity, RunExpression } from './run-expression.ts'

/** A predicate over `tracking.run as run` that is never null: a run without the key meets `is null` alone. */
export function compileRunFilter(expression: RunExpression | undefined): Predicate {
  return compileFilter(expression, compileComparison)
}

/**
 * Values are looked up run by run, by their key. What an index of values can find is found before that, by
 * `chooseSource`; leaving the choice to the planner would need statistics that it has not got for each key.
 */
function compileComparison(comparison: Comparison<RunEntity>): Predicate {
  const { entity, key, comparator } = comparison
  if (entity === 'dataset') return compileDataset(comparison)
  const value = runValue(entity, key)
  if (comparator === 'is null') return sql`(${value} is null)`
  if (comparator === 'is not null') return sql`(${value} is not null)`
  return compare(value, comparison)
}

/** What a run has: a number, a text, an instant or nothing. */
export function runValue(entity: RunEntity, key: string): RawBuilder<unknown> {
  if (entity === 'attribute') return attributeColumns.get(key) ?? sql`null::text`
  if (entity === 'tag') return sql`(run.tags ->> ${key})`
  if (entity === 'metric') {
    return sql`(select metric.value from tracking.run_metric metric
      where metric.workspace = run.workspace and metric.run = run.id and metric.key = ${key})`
  }
  return sql`(select param.value from tracking.param param
    where param.workspace = run.workspace and param.run = run.id and param.key = ${key})`
}

const attributeColumns = new Map<string, RawBuilder<unknown>>([
  ['run', sql`run.id`],
  ['name', sql`run.name`],
  ['status', sql`run.status`],
  ['author', sql`run.author`],
  ['user', sql`coalesce(run.tags ->> 'mlflow.user', run.author::text)`],
  ['startedAt', sql`run.started_at`],
  ['endedAt', sql`run.ended_at`],
])

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** NaN is neither more nor less than a number, nor unlike it: it meets no comparison. */
function compare(left: RawBuilder<unknown>, comparison: Comparison<RunEntity>): Predicate {
  const { entity, key, comparator, value } = comparison
  if (entity === 'metric') {
    return sql`coalesce(nullif(${left}, 'NaN') ${symbolOf(comparator)} ${value}::float8, false)`
  }
  if (entity === 'attribute' && (key === 'startedAt' || key === 'endedAt')) {
    return sql`coalesce(${left} ${symbolOf(comparator)} ${value}::timestamptz, false)`
  }
  if (entity === 'attribute' && (key === 'run' || key === 'author')) {
    const ids = [value]
      .flat()
      .map(String)
      .filter((text) => uuid.test(text))
    if (comparator === '=' || comparator === 'in') return sql`(${left} = any(${ids}::uuid[]))`
    if (comparator === '!=' || comparator === 'not in') return sql`(not ${left} = any(${ids}::uuid[]))`
  }
  return compareText(sql`${left}::text`, comparison)
}

/** One of the datasets that a run read is like that. What it was read for is a tag of the reading. */
function compileDataset(comparison: Comparison<RunEntity>): Predicate {
  const left =
    comparison.key === 'context' ? sql`(dataset.tags ->> 'mlflow.data.context')` : sql.ref(`dataset.${comparison.key}`)
  return sql`coalesce((select bool_or(${compare(left, comparison)}) from tracking.run_dataset dataset
    where dataset.workspace = run.workspace and dataset.run = run.id), false)`
}
