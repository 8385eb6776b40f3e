import { sqlIdentifier, sqlString } from '#platform/analytics/sql-text.ts'
import { compileToSql } from '#platform/expressions/compile-to-sql.ts'
import type { CheckedExpression } from '#platform/expressions/tree.ts'
import type { CompiledContract } from './compile-contract.ts'
import type { ColumnType, DatasetSpec } from './contract.ts'
import { pictureSql } from './picture-sql.ts'
import { profileSql } from './profile-sql.ts'

export interface IngestPlan {
  spec: DatasetSpec
  contract: CompiledContract
  /** Of the source, in its order, with the SQL of their canonical type. */
  columns: { name: string; type: ColumnType; sql: string }[]
  from: string | null
  to: string | null
  sourcePath: string
  keptPath: string
  quarantinePath: string
}

/**
 * DuckDB statements that write both files; the last answers one row: `rows`, `first_time`, `last_time`, `quarantined` and
 * `warned` (lists of `{rule, rows}`), `profile` and `pictures`. A row is set aside by the first rule that it breaks: nulls, then
 * duplicates, then the rules in their order. Files are sorted by time, so that the same rows are the same bytes.
 */
export function ingestSql(plan: IngestPlan): string {
  const { spec, contract, columns } = plan
  const time = sqlIdentifier(spec.timeColumn)
  const broken = brokenRules(spec, contract)
  const first = broken
    .filter(({ action }) => action !== 'warn')
    .map(({ name, when }) => `WHEN ${when} THEN ${sqlString(name)}`)
  const warnings = broken.filter(({ action }) => action === 'warn')
  const outputs = [...columns, ...contract.derived]
  const internal = `EXCLUDE (pave_row, pave_duplicate, broken_rule)`
  return `
CREATE TABLE checked AS
SELECT *, ${first.length > 0 ? `CASE ${first.join(' ')} END` : 'CAST(NULL AS VARCHAR)'} AS broken_rule
FROM (SELECT *, ${duplicate(spec, columns)} AS pave_duplicate
FROM (SELECT *${contract.derived.map(({ name, expression }) => `, ${toSql(expression)} AS ${sqlIdentifier(name)}`).join('')}
FROM (SELECT ${columns.map(({ name, sql }) => `${sql} AS ${sqlIdentifier(name)}`).join(', ')}, file_row_number AS pave_row
FROM read_parquet(${sqlString(plan.sourcePath)}, file_row_number = true))
WHERE ${range(time, plan)}));
COPY (SELECT * ${internal} FROM checked WHERE broken_rule IS NULL ORDER BY ${time}, pave_row)
TO ${sqlString(plan.keptPath)} (FORMAT parquet, COMPRESSION zstd);
COPY (SELECT * EXCLUDE (pave_row, pave_duplicate) FROM checked WHERE broken_rule IS NOT NULL ORDER BY ${time}, pave_row)
TO ${sqlString(plan.quarantinePath)} (FORMAT parquet, COMPRESSION zstd);
SELECT count(*) AS rows, min(${time}) AS first_time, max(${time}) AS last_time,
(SELECT list({rule: broken_rule, rows: n}) FROM (
  SELECT broken_rule, count(*) AS n FROM checked WHERE broken_rule IS NOT NULL GROUP BY ALL)) AS quarantined,
[${warnings.map(({ name, when }) => `{rule: ${sqlString(name)}, rows: count(*) FILTER (WHERE ${when})}`).join(', ')}] AS warned,
${profileSql(outputs)} AS profile,
${pictureSql(outputs)} AS pictures
FROM checked WHERE broken_rule IS NULL`
}

/** Every rule with the SQL condition under which a row breaks it. */
function brokenRules(spec: DatasetSpec, contract: CompiledContract) {
  return [
    ...contract.required.map((name) => ({
      name: `not-null:${name}`,
      action: 'quarantine' as const,
      when: `${sqlIdentifier(name)} IS NULL`,
    })),
    ...(spec.unique ? [{ name: 'unique', action: spec.unique.action, when: 'pave_duplicate' }] : []),
    // A rule without an answer is broken as well, which NOT (…) would miss.
    ...contract.rules.map(({ name, action, check }) => ({ name, action, when: `(${toSql(check)}) IS NOT TRUE` })),
  ]
}

function duplicate(spec: DatasetSpec, columns: IngestPlan['columns']): string {
  if (spec.unique === undefined) return 'false'
  const compared = spec.unique.columns ?? columns.map(({ name }) => name)
  return `row_number() OVER (PARTITION BY ${compared.map(sqlIdentifier).join(', ')} ORDER BY pave_row) > 1`
}

function range(time: string, { from, to }: IngestPlan): string {
  const bounds = [from === null ? '' : `${time} >= ${instant(from)}`, to === null ? '' : `${time} < ${instant(to)}`]
  return bounds.filter((bound) => bound !== '').join(' AND ') || 'true'
}

function instant(time: string): string {
  return `TIMESTAMP ${sqlString(new Date(time).toISOString().replace('T', ' ').replace('Z', ''))}`
}

function toSql(expression: CheckedExpression): string {
  return compileToSql(expression, 'duckdb', { column: sqlIdentifier })
}
