import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUnionValue,
  type DuckDBValue,
  DuckDBVariantValue,
} from '@duckdb/node-api'

export type PlainValue = null | boolean | number | string | Uint8Array | PlainValue[] | { [name: string]: PlainValue }

/**
 * DuckDB's value as plain JavaScript. Integers and decimals are numbers when a double holds them exactly, else strings;
 * timestamps are ISO 8601 in UTC with as many decimals as they need, at least three; dates are `2001-01-31`; a map is
 * an array of `{ key, value }`; a blob is its bytes; intervals, times and UUIDs are the text that DuckDB prints.
 */
export function plainValue(value: DuckDBValue): PlainValue {
  if (typeof value === 'bigint') return exactNumber(value) ?? String(value)
  if (value === null || typeof value !== 'object') return value
  if (value instanceof DuckDBDecimalValue)
    return exactNumber(value.value) === undefined ? value.toString() : Number(value.toString())
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue)
    return timestamp(value, value.micros * 1000n)
  if (value instanceof DuckDBTimestampSecondsValue) return timestamp(value, value.seconds * 1_000_000_000n)
  if (value instanceof DuckDBTimestampMillisecondsValue) return timestamp(value, value.millis * 1_000_000n)
  if (value instanceof DuckDBTimestampNanosecondsValue) return timestamp(value, value.nanos)
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(plainValue)
  if (value instanceof DuckDBStructValue)
    return Object.fromEntries(Object.entries(value.entries).map(([name, member]) => [name, plainValue(member)]))
  if (value instanceof DuckDBMapValue)
    return value.entries.map((entry) => ({ key: plainValue(entry.key), value: plainValue(entry.value) }))
  if (value instanceof DuckDBUnionValue || value instanceof DuckDBVariantValue) return plainValue(value.value)
  if (value instanceof DuckDBBlobValue) return value.bytes
  return value.toString()
}

function exactNumber(integer: bigint): number | undefined {
  const number = Number(integer)
  return Number.isSafeInteger(number) ? number : undefined
}

/** What JavaScript's calendar cannot hold, infinity among it, stays as DuckDB prints it. */
function timestamp(value: { isFinite: boolean; toString(): string }, nanos: bigint): string {
  const below = ((nanos % 1_000_000n) + 1_000_000n) % 1_000_000n
  const date = new Date(Number((nanos - below) / 1_000_000n))
  if (!value.isFinite || Number.isNaN(date.getTime())) return value.toString()
  const decimals = below === 0n ? '' : String(below).padStart(6, '0').replace(/0+$/, '')
  return date.toISOString().replace('Z', `${decimals}Z`)
}
