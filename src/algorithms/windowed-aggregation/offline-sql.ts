import type { AggregationPlan, PlannedHop, PlannedOutput, Slot } from './plan.ts'

/** Where the events and the queries are. Column names are quoted here; relations go into the SQL as they are. */
export interface OfflineSqlInput {
  /** A quoted table name or a parenthesised SELECT with the entity, time and aggregated columns. */
  events: string
  /** Entity key columns of the events; at least one. */
  entityColumns: readonly string[]
  /** TIMESTAMP, TIMESTAMPTZ or DATE column of the events: when each became available. */
  timeColumn: string
  /** A quoted table name or a parenthesised SELECT. */
  queries: string
  /** Column of the queries that comes back under its own name, to tell the rows apart. */
  queryRowColumn: string
  /** Entity key columns of the queries, in the order of `entityColumns`; the same names by default. */
  queryEntityColumns?: readonly string[]
  /** TIMESTAMP, TIMESTAMPTZ or DATE column of the queries: the `q` of each row. */
  queryTimeColumn: string
}

/**
 * A DuckDB SELECT of the same features as `readFeatures`, point-in-time correct: exactly one row per query row, with the
 * row column and then one column per declaration (`count` BIGINT, the others DOUBLE), in no particular order. A query
 * with a NULL key or time matches nothing, as an entity never seen.
 *
 * Events are summed into tiles first. Tiles and the distinct (entity, tile) points that are asked for then go through
 * one window operator with RANGE frames. Cumulative sums with ASOF joins would be a little faster, but subtracting them
 * loses small values behind a large one, which serving does not, and cannot give a minimum.
 */
export function offlineSql(plan: AggregationPlan, input: OfflineSqlInput): string {
  const queryEntityColumns = input.queryEntityColumns ?? input.entityColumns
  if (input.entityColumns.length === 0 || input.entityColumns.length !== queryEntityColumns.length) {
    throw new TypeError('Events and queries need the same number of entity columns, at least one')
  }
  const keys = input.entityColumns.map((_, i) => `k${i}`)
  const select = (columns: readonly string[]) => columns.map((column, i) => `${quote(column)} AS k${i}`).join(', ')
  const values = plan.columns.map((column, i) => {
    const value = `CAST(${quote(column)} AS DOUBLE)`
    return `, CASE WHEN isfinite(${value}) THEN ${value} END AS c${i}`
  })
  const known = [...keys, 'us'].map((column) => `${column} IS NOT NULL`).join(' AND ')

  const steps = [
    `pave_events AS (SELECT ${select(input.entityColumns)}, ${microseconds(input.timeColumn)} AS us${values.join('')}
  FROM ${input.events} WHERE ${quote(input.timeColumn)} IS NOT NULL)`,
    `pave_queries AS (SELECT ${quote(input.queryRowColumn)} AS id, ${select(queryEntityColumns)},
  ${microseconds(input.queryTimeColumn)} AS us FROM ${input.queries})`,
    ...plan.hops.flatMap((hop, index) => hopSteps(hop, index, keys, known)),
  ]
  const features = plan.aggregations.map(({ name, function: kind }, position) =>
    kind === 'count' ? `CAST(coalesce(f${position}, 0) AS BIGINT) AS ${quote(name)}` : `f${position} AS ${quote(name)}`,
  )
  const joins = plan.hops.map(({ hop }, index) => {
    const same = keys.map((key) => `pave_queries.${key} = pave_features${index}.${key}`)
    return `LEFT JOIN pave_features${index} ON ${same.join(' AND ')} AND ${tileOf('pave_queries.us', hop)} = pave_features${index}.tile`
  })
  return `WITH ${steps.join(',\n')}
SELECT ${[`pave_queries.id AS ${quote(input.queryRowColumn)}`, ...features].join(', ')}
FROM pave_queries ${joins.join('\n')}`
}

function hopSteps({ hop, slots, windows }: PlannedHop, index: number, keys: string[], known: string): string[] {
  const entity = keys.join(', ')
  const sums = slots.map((slot, i) => `, ${tileSlot(slot)} AS s${i}`).join('')
  const frames = windows.map(
    ({ tiles }, i) =>
      `w${i} AS (PARTITION BY ${entity} ORDER BY tile RANGE BETWEEN ${tiles} PRECEDING AND 1 PRECEDING)`,
  )
  const outputs = windows.flatMap((window, i) => window.outputs.map((output) => overWindow(output, slots, `w${i}`)))
  return [
    `pave_tiles${index} AS (SELECT ${entity}, ${tileOf('us', hop)} AS tile${sums}
  FROM pave_events WHERE ${known} GROUP BY ALL)`,
    `pave_points${index} AS (SELECT DISTINCT ${entity}, ${tileOf('us', hop)} AS tile, true AS asked
  FROM pave_queries WHERE ${known})`,
    `pave_features${index} AS (SELECT ${entity}, tile, asked, ${outputs.join(', ')}
  FROM (SELECT * FROM pave_tiles${index} UNION ALL BY NAME SELECT * FROM pave_points${index})
  WINDOW ${frames.join(', ')}
  QUALIFY asked)`,
  ]
}

/** Counts are summed as doubles: as exact below 2^53 and several times faster than HUGEINT sums. */
function tileSlot({ kind, column }: Slot): string {
  const value = column < 0 ? '*' : `c${column}`
  return kind === 'count' ? `CAST(count(${value}) AS DOUBLE)` : `${kind}(${value})`
}

function overWindow(
  { position, function: kind, slot, countSlot }: PlannedOutput,
  slots: Slot[],
  window: string,
): string {
  const merge = slots[slot]?.kind === 'count' ? 'sum' : slots[slot]?.kind
  const total = `${merge}(s${slot}) OVER ${window}`
  return `${kind === 'mean' ? `${total} / sum(s${countSlot}) OVER ${window}` : total} AS f${position}`
}

/** Infinite timestamps belong to no tile. */
function microseconds(column: string): string {
  return `CASE WHEN isfinite(${quote(column)}) THEN epoch_us(${quote(column)}) END`
}

/** `floor(at / hop)`; DuckDB's `//` rounds towards zero, which is one too high before 1970. */
function tileOf(microsecondsExpression: string, hop: number): string {
  const width = `${hop * 1000}::BIGINT`
  return `(${microsecondsExpression} // ${width} - (${microsecondsExpression} % ${width} < 0)::BIGINT)`
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}
