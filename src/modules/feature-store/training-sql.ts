import { offlineSql } from '#algorithms/windowed-aggregation/offline-sql.ts'
import { planAggregations } from '#algorithms/windowed-aggregation/plan.ts'
import type { ColumnType, DatasetVersion } from '#modules/datasets/contract.ts'
import { sqlIdentifier, sqlString } from '#platform/analytics/sql-text.ts'
import { checkExpression } from '#platform/expressions/check-expression.ts'
import { compileToSql } from '#platform/expressions/compile-to-sql.ts'
import type { CompiledService, ServedView, TrainingSetInput } from './contract.ts'
import { requireCurrent } from './require-current.ts'
import type { ResolvedView } from './resolve-view.ts'
import { featureStoreFailure } from './tables.ts'

export interface TrainingPlan {
  input: TrainingSetInput
  service: CompiledService
  views: ReadonlyMap<string, ResolvedView>
  version: DatasetVersion
  labelType: ColumnType
}

/**
 * Checks that the dataset version can answer for the service.
 *
 * @throws `view_on_other_dataset`, `dataset_version_outdated`, `label_invalid`, `request_field_missing`, `column_name_taken`
 */
export function planTrainingSet(plan: Omit<TrainingPlan, 'labelType'>): TrainingPlan {
  const { input, service, views, version } = plan
  for (const view of views.values()) requireCurrent(view, version)
  const types = new Map(version.columns.map(({ name, type }) => [name, type]))
  const labelType = types.get(input.label)
  if (labelType === undefined || labelType === 'string' || labelType === 'timestamp') {
    const found = labelType === undefined ? `has no column ${input.label}` : `has ${input.label} as ${labelType}`
    throw featureStoreFailure('label_invalid', `${version.ref} ${found}`)
  }
  const missing = service.request.find(({ name, type }) => types.get(name) !== type)
  if (missing !== undefined) {
    const found = types.get(missing.name)
    throw featureStoreFailure(
      'request_field_missing',
      `${version.ref} has ${found === undefined ? 'no column' : `as ${found} what should be the ${missing.type}`} ${missing.name}`,
    )
  }
  const taken = service.features.find((name) => name === 'label' || name === 'event_timestamp')
  if (taken !== undefined) throw featureStoreFailure('column_name_taken', `A feature cannot be called ${taken}`)
  return { ...plan, labelType }
}

/**
 * DuckDB statements that write a training set; the last answers one row with `rows` and `positives`. The questions are the
 * version's own rows, asked at the service's timestamp; the answers come from all of its rows, each from when it became
 * available.
 */
export function trainingSql(plan: TrainingPlan, source: string, target: string): string {
  const { service, input, labelType } = plan
  const views = service.views.map((view, index) => ({ view, table: `pave_view${index}` }))
  const columns = columnsOf(plan, views)
  const outputs = [
    ...service.features.map((name) => `${columns.get(name)} AS ${sqlIdentifier(name)}`),
    'q.pave_label AS label',
    'q.pave_at AS event_timestamp',
    // A feature that passes a request field on under the field's name is there already.
    ...service.request
      .map(({ name }) => name)
      .filter((name) => !service.features.includes(name))
      .map(requestColumn),
  ]
  return `
CREATE VIEW pave_source AS SELECT * FROM read_parquet(${sqlString(source)}, file_row_number = true);
CREATE TABLE pave_questions AS ${questionsSql(plan)};
${views.map(({ view, table }) => `CREATE TABLE ${table} AS ${answersSql(plan, view)};`).join('\n')}
COPY (SELECT ${outputs.join(', ')} FROM pave_questions q
${views.map(({ table }) => `JOIN ${table} ON ${table}.pave_row = q.pave_row`).join('\n')}
ORDER BY q.pave_row) TO ${sqlString(target)} (${
    input.format === 'csv'
      ? `FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%gZ'`
      : 'FORMAT parquet, COMPRESSION zstd'
  });
SELECT count(*) AS rows, ${labelType === 'bool' ? 'count(*) FILTER (WHERE pave_label = 1)' : 'NULL'} AS positives
FROM pave_questions`
}

/** Rows with a label, in the range asked for; a sample has those with the least hash, whatever else is there. */
function questionsSql({ input, service, views, version, labelType }: TrainingPlan): string {
  const label = sqlIdentifier(input.label)
  const time = sqlIdentifier(version.timeColumn)
  const known = views.size === 0 ? [version.timeColumn] : [...views.values()].map(({ timestamp }) => timestamp)
  const conditions = [
    `${label} IS NOT NULL`,
    input.from && `${time} >= ${instant(input.from)}`,
    input.to && `${time} < ${instant(input.to)}`,
    ...new Set(known.map((name) => input.knownBefore && `${sqlIdentifier(name)} < ${instant(input.knownBefore)}`)),
  ].filter(Boolean)
  const fields = service.request.map(({ name }) => sqlIdentifier(name))
  return `SELECT file_row_number AS pave_row, CAST(${label} AS ${labelType === 'double' ? 'DOUBLE' : 'BIGINT'}) AS pave_label,
${sqlIdentifier(service.timestampField)} AS pave_at, ${fields.join(', ')}
FROM pave_source WHERE ${conditions.join(' AND ')}${
    input.sample
      ? ` ORDER BY md5(concat(${input.sample.seed}, ':', file_row_number)), file_row_number LIMIT ${input.sample.rows}`
      : ''
  }`
}

function answersSql({ views }: TrainingPlan, served: ServedView): string {
  const view = views.get(served.view)
  if (view === undefined) throw new TypeError(`${served.view} was not resolved`)
  const read = new Set(served.features.map(({ aggregation }) => aggregation))
  return offlineSql(planAggregations(view.aggregations.filter(({ name }) => read.has(name))), {
    events: 'pave_source',
    entityColumns: view.keyColumns,
    timeColumn: view.timestamp,
    queries: 'pave_questions',
    queryRowColumn: 'pave_row',
    queryEntityColumns: served.entityFields,
    queryTimeColumn: 'pave_at',
  })
}

/** The SQL of each feature. */
function columnsOf({ service }: TrainingPlan, views: { view: ServedView; table: string }[]): Map<string, string> {
  const variables = Object.fromEntries(service.request.map(({ name, type }) => [name, type]))
  return new Map([
    ...views.flatMap(({ view, table }) =>
      view.features.map(({ name, aggregation }) => [name, `${table}.${sqlIdentifier(aggregation)}`] as const),
    ),
    ...service.onDemand.map(({ name, expression, type }) => {
      const checked = checkExpression(expression, variables, { expect: type, portable: true })
      return [name, compileToSql(checked, 'duckdb', { column: requestColumn })] as const
    }),
  ])
}

function requestColumn(name: string): string {
  return `q.${sqlIdentifier(name)}`
}

function instant(time: string): string {
  return `TIMESTAMP ${sqlString(new Date(time).toISOString().replace('T', ' ').replace('Z', ''))}`
}
