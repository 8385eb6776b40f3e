import { z } from 'zod'
import { sqlIdentifier, sqlString } from '#platform/analytics/sql-text.ts'
import type { ColumnPicture, ColumnType } from './contract.ts'

const bins = 20
const mostFrequent = 10

/** A list with one struct for each column of the rows that passed: how numbers and times are spread, which values are frequent. */
export function pictureSql(columns: readonly { name: string; type: ColumnType }[]): string {
  const structs = columns.map(({ name, type }) => {
    const spread = type === 'string' || type === 'bool' ? 'NULL' : histogram(numberOf(name, type))
    const frequent = type === 'string' || type === 'bool' ? topValues(sqlIdentifier(name)) : 'NULL'
    return `{name: ${sqlString(name)},
  histogram: CAST(${spread} AS STRUCT(edges DOUBLE[], counts BIGINT[])),
  top: CAST(${frequent} AS STRUCT("value" VARCHAR, "rows" BIGINT)[])}`
  })
  return `[${structs.join(', ')}]`
}

const numberOf = (name: string, type: ColumnType) =>
  type === 'timestamp' ? `CAST(epoch_ms(${sqlIdentifier(name)}) AS DOUBLE)` : `CAST(${sqlIdentifier(name)} AS DOUBLE)`

/** Equal bins over all but the outermost half per cent on each side, which would press everything else into one bin. */
function histogram(number: string): string {
  return `(WITH value AS (SELECT ${number} AS x FROM checked WHERE broken_rule IS NULL AND isfinite(${number})),
    span AS (SELECT quantile_cont(x, 0.005) AS low, quantile_cont(x, 0.995) AS high FROM value),
    binned AS (
      SELECT CAST(least(${bins - 1}, greatest(0, floor((x - low) / (high - low) * ${bins}))) AS INTEGER) AS bin, count(*) AS n
      FROM value, span WHERE high > low GROUP BY 1)
    SELECT CASE WHEN count(*) = 0 THEN NULL ELSE {
      edges: (SELECT list_transform(range(1, ${bins}), i -> low + (high - low) * i / ${bins}) FROM span),
      counts: list_transform(range(0, ${bins}), i -> coalesce(map_from_entries(list((bin, n)))[CAST(i AS INTEGER)], 0))} END
    FROM binned)`
}

function topValues(column: string): string {
  return `(SELECT list({"value": v, "rows": n} ORDER BY n DESC, v) FROM (
    SELECT CAST(${column} AS VARCHAR) AS v, count(*) AS n FROM checked
    WHERE broken_rule IS NULL AND ${column} IS NOT NULL GROUP BY 1 ORDER BY n DESC, v LIMIT ${mostFrequent}))`
}

/** What DuckDB answered for `pictureSql`, by column. */
export const Pictures = z
  .array(
    z.object({
      name: z.string(),
      histogram: z.object({ edges: z.array(z.number()), counts: z.array(z.number()) }).nullable(),
      top: z.array(z.object({ value: z.string(), rows: z.number() })).nullable(),
    }),
  )
  .transform(
    (pictures) =>
      new Map(
        pictures.map(({ name, histogram, top }): [string, ColumnPicture] => [
          name,
          { histogram, top: top?.map(({ value, rows }) => ({ value: value.slice(0, 200), rows })) ?? null },
        ]),
      ),
  )
