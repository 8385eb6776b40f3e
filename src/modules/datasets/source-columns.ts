import type { ParquetDescription } from '#platform/analytics/describe-parquet.ts'
import { sqlIdentifier } from '#platform/analytics/sql-text.ts'
import type { ColumnType, DatasetSpec } from './contract.ts'
import { datasetsFailure } from './tables.ts'

const storedAs: Record<ColumnType, RegExp> = {
  int: /^(U?(TINY|SMALL|BIG)INT|U?INTEGER|U?HUGEINT)$/,
  double: /^(FLOAT|DOUBLE|DECIMAL\(.*\)|U?(TINY|SMALL|BIG)INT|U?INTEGER|U?HUGEINT)$/,
  string: /^(VARCHAR|ENUM\(.*\)|UUID)$/,
  bool: /^BOOLEAN$/,
  timestamp: /^(TIMESTAMP(_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE|DATE)$/,
}

/**
 * The declared columns in the file's order, each as SQL of its canonical type (BIGINT, DOUBLE, VARCHAR, BOOLEAN, TIMESTAMP
 * in UTC), NULL where a value does not fit.
 *
 * @throws `column_missing`, `column_type_mismatch`
 */
export function sourceColumns(
  spec: DatasetSpec,
  file: ParquetDescription,
): { name: string; type: ColumnType; sql: string }[] {
  const stored = new Map(file.columns.map(({ name, type }) => [name, type]))
  const declared = Object.entries(spec.columns)
  const missing = declared.map(([name]) => name).filter((name) => !stored.has(name))
  if (missing.length > 0) {
    throw datasetsFailure(
      'column_missing',
      `The source has no column ${missing.join(', ')}; it has ${file.columns.map(({ name }) => name).join(', ')}`,
      { details: { missing } },
    )
  }
  const wrong = declared.filter(([name, { type }]) => !storedAs[type].test(stored.get(name) ?? ''))
  if (wrong.length > 0) {
    throw datasetsFailure(
      'column_type_mismatch',
      wrong
        .map(([name, { type }]) => `${name} is declared as ${type}, but the source has ${stored.get(name)}`)
        .join('; '),
      { details: { columns: wrong.map(([name]) => name) } },
    )
  }
  return file.columns.flatMap(({ name, type: storedType }) => {
    const type = spec.columns[name]?.type
    return type === undefined ? [] : [{ name, type, sql: canonicalSql(sqlIdentifier(name), type, storedType) }]
  })
}

function canonicalSql(column: string, type: ColumnType, stored: string): string {
  if (type === 'int') return `TRY_CAST(${column} AS BIGINT)`
  if (type === 'double') return `CAST(${column} AS DOUBLE)`
  if (type === 'string') return `CAST(${column} AS VARCHAR)`
  if (type === 'bool' || stored === 'TIMESTAMP') return column
  if (stored === 'DATE') return `CAST(${column} AS TIMESTAMP)`
  return `CASE WHEN isfinite(${column}) THEN make_timestamp(epoch_us(${column})) END`
}
