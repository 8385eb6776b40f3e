import {
  earliestTimestamp,
  largestDouble,
  largestInt,
  latestTimestamp,
  longestDuration,
  smallestDouble,
} from './values.ts'

/** What differs between the two databases. Timestamps and durations are computed with as whole milliseconds. */
export interface SqlDialect {
  name: 'duckdb' | 'postgres'
  integer: string
  /** Wide enough for the product of two ints. */
  wideInteger: string
  double: string
  /** Text that compares and orders by code point. */
  text(sql: string): string
  /**
   * Names values, so that a body which needs them more than once does not repeat them: nested expressions stay linear
   * in length. The body may use the given names and constants, nothing else.
   */
  let(values: readonly string[], body: (...names: string[]) => string): string
  /** Whole division of ints, cut towards zero; NULL where the divisor is 0. */
  divideInts(dividend: string, divisor: string): string
  /** What that division leaves, with the dividend's sign; NULL where the divisor is 0. */
  remainder(dividend: string, divisor: string): string
  /** Division of doubles; NULL or not finite where the divisor is 0. */
  divideDoubles(dividend: string, divisor: string): string
  endsWith(string: string, suffix: string): string
  /** Whether a string has a part that matches the pattern, a literal in the database's own syntax. */
  matches(string: string, pattern: string): string
  /** The milliseconds of a column of any timestamp type; NULL where it is out of range. */
  readTimestamp(column: string): string
  /** The database's own timestamp: DuckDB's TIMESTAMP in UTC, PostgreSQL's timestamptz. */
  writeTimestamp(milliseconds: string): string
}

const duckdb: SqlDialect = {
  name: 'duckdb',
  integer: 'BIGINT',
  wideInteger: 'HUGEINT',
  double: 'DOUBLE',
  text: (sql) => `CAST(${sql} AS VARCHAR)`,
  // A list of one and a lambda: DuckDB would plan a subquery as a join.
  let(values, body) {
    const [only] = values
    if (values.length === 1) return `list_transform([${only}], lambda _v: ${body('_v')})[1]`
    const fields = values.map((value, index) => `f${index}: ${value}`).join(', ')
    return `list_transform([{${fields}}], lambda _v: ${body(...values.map((_, index) => `_v.f${index}`))})[1]`
  },
  divideInts: (dividend, divisor) => `(${dividend} // ${divisor})`,
  remainder: (dividend, divisor) => `(${dividend} % ${divisor})`,
  divideDoubles: (dividend, divisor) => `(${dividend} / ${divisor})`,
  endsWith: (string, suffix) => `ends_with(${string}, ${suffix})`,
  matches: (string, pattern) => `regexp_matches(${string}, ${pattern})`,
  readTimestamp(column) {
    const micros = `epoch_us(${column})`
    return (
      `CASE WHEN ${micros} BETWEEN ${earliestTimestamp}000 AND ${latestTimestamp}999 ` +
      `THEN (${micros} - ((${micros} % 1000) + 1000) % 1000) // 1000 END`
    )
  },
  writeTimestamp: (milliseconds) => `make_timestamp_ms(${milliseconds})`,
}

const postgres: SqlDialect = {
  name: 'postgres',
  integer: 'bigint',
  wideInteger: 'numeric',
  double: 'double precision',
  text: (sql) => `(CAST(${sql} AS text) COLLATE "C")`,
  // OFFSET 0 keeps the planner from pulling the subquery up, which would write its values out at each use.
  let(values, body) {
    const columns = values.map((value, index) => `${value} AS f${index}`).join(', ')
    return `(SELECT ${body(...values.map((_, index) => `_v.f${index}`))} FROM (SELECT ${columns} OFFSET 0) _v)`
  },
  divideInts: (dividend, divisor) => `(${dividend} / NULLIF(${divisor}, 0))`,
  remainder: (dividend, divisor) => `(${dividend} % NULLIF(${divisor}, 0))`,
  divideDoubles: (dividend, divisor) => `(${dividend} / NULLIF(${divisor}, 0))`,
  endsWith: (string, suffix) => `starts_with(reverse(${string}), reverse(${suffix}))`,
  matches: (string, pattern) => `(${string} ~ ${pattern})`,
  readTimestamp: (column) =>
    `CASE WHEN ${column} >= '0001-01-01 00:00:00+00' AND ${column} < '10000-01-01 00:00:00+00' ` +
    `THEN CAST(floor(extract(epoch FROM ${column}) * 1000) AS bigint) END`,
  writeTimestamp: (milliseconds) =>
    `((timestamp '1970-01-01' + CAST(${milliseconds} || ' milliseconds' AS interval)) AT TIME ZONE 'UTC')`,
}

export const sqlDialects = { duckdb, postgres }

export function quoteString(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/** A number as a double, written so that neither database reads it as a decimal first. */
export function writeDouble(dialect: SqlDialect, value: number): string {
  return `CAST('${value}' AS ${dialect.double})`
}

export function writeInt(dialect: SqlDialect, value: number): string {
  return `CAST(${value} AS ${dialect.integer})`
}

/** The value where it is an int in range, else NULL; it may be of a wider type than int. */
export function boundIntSql(dialect: SqlDialect, sql: string): string {
  return boundWhole(dialect, sql, -largestInt, largestInt)
}

export function boundTimestampSql(dialect: SqlDialect, sql: string): string {
  return boundWhole(dialect, sql, earliestTimestamp, latestTimestamp)
}

export function boundDurationSql(dialect: SqlDialect, sql: string): string {
  return boundWhole(dialect, sql, -longestDuration, longestDuration)
}

function boundWhole(dialect: SqlDialect, sql: string, least: number, most: number): string {
  return dialect.let(
    [sql],
    (v) => `CASE WHEN ${v} BETWEEN ${least} AND ${most} THEN CAST(${v} AS ${dialect.integer}) END`,
  )
}

/** The double, 0 where it is nearer to zero than doubles go, NULL where it is too large or not a number. */
export function boundDoubleSql(dialect: SqlDialect, sql: string): string {
  return dialect.let([sql], (v) => boundDoubleName(dialect, v))
}

/** As `boundDoubleSql`, for a text that is short and has no cost, such as a column. */
export function boundDoubleName(dialect: SqlDialect, v: string): string {
  const double = (value: number) => writeDouble(dialect, value)
  return `CASE WHEN abs(${v}) < ${double(smallestDouble)} THEN ${double(0)} WHEN abs(${v}) <= ${double(largestDouble)} THEN ${v} END`
}

/** The int in a column of any numeric type, NULL where it is out of range. */
export function boundIntColumn(dialect: SqlDialect, column: string): string {
  return `CASE WHEN ${column} BETWEEN ${-largestInt} AND ${largestInt} THEN CAST(${column} AS ${dialect.integer}) END`
}
