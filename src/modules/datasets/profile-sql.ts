import { z } from 'zod'
import { sqlIdentifier, sqlString } from '#platform/analytics/sql-text.ts'
import type { ColumnPicture, ColumnProfile, ColumnType } from './contract.ts'

/** An aggregate over all rows: a list with one struct for each column. The mean of a bool is its share of true. */
export function profileSql(columns: readonly { name: string; type: ColumnType }[]): string {
  const structs = columns.map(({ name, type }) => {
    const column = sqlIdentifier(name)
    const number = type === 'bool' ? `CAST(${column} AS INTEGER)` : column
    const isNumber = type === 'int' || type === 'double'
    const averaged = isNumber || type === 'bool'
    const finite = `FILTER (WHERE isfinite(CAST(${number} AS DOUBLE)))`
    const text = (sql: string) => (type === 'timestamp' ? `strftime(${sql}, '%Y-%m-%dT%H:%M:%S.%gZ')` : sql)
    return `{name: ${sqlString(name)}, type: ${sqlString(type)},
  nulls: count(*) - count(${column}), "distinct": approx_count_distinct(${column}),
  mean: ${averaged ? `avg(${number}) ${finite}` : 'CAST(NULL AS DOUBLE)'},
  std: ${averaged ? `stddev_pop(${number}) ${finite}` : 'CAST(NULL AS DOUBLE)'},
  min: ${isNumber ? `CAST(min(${column}) ${finite} AS DOUBLE)` : 'CAST(NULL AS DOUBLE)'},
  max: ${isNumber ? `CAST(max(${column}) ${finite} AS DOUBLE)` : 'CAST(NULL AS DOUBLE)'},
  least: ${type === 'string' || type === 'timestamp' ? text(`min(${column})`) : 'CAST(NULL AS VARCHAR)'},
  greatest: ${type === 'string' || type === 'timestamp' ? text(`max(${column})`) : 'CAST(NULL AS VARCHAR)'},
  quartiles: ${isNumber ? `quantile_cont(CAST(${column} AS DOUBLE), [0.25, 0.5, 0.75]) ${finite}` : 'CAST(NULL AS DOUBLE[])'}}`
  })
  return `[${structs.join(', ')}]`
}

const Struct = z.object({
  name: z.string(),
  type: z.enum(['int', 'double', 'string', 'bool', 'timestamp']),
  nulls: z.number(),
  distinct: z.number(),
  mean: z.number().nullable(),
  std: z.number().nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  least: z.string().nullable(),
  greatest: z.string().nullable(),
  quartiles: z.array(z.number()).nullable(),
})

/** What DuckDB answered for `profileSql`. */
export const Profile = z.array(
  Struct.transform(
    ({ least, greatest, min, max, ...profile }): Omit<ColumnProfile, keyof ColumnPicture> => ({
      ...profile,
      min: min ?? least?.slice(0, 200) ?? null,
      max: max ?? greatest?.slice(0, 200) ?? null,
    }),
  ),
)
