import type { Kind, Type } from './types.ts'

/**
 * What the numbers of expressions can be, the same in process and in SQL. JavaScript, DuckDB and PostgreSQL part ways at
 * 2^53, at overflow (PostgreSQL raises), at NaN (SQL orders it) and at underflow, so none of these exist here: an int is
 * one that a double holds exactly; a double is zero or has a magnitude between 1e-150 and 1e150, so that no product or
 * quotient of two can overflow; what is nearer to zero is zero.
 */
export const largestInt = Number.MAX_SAFE_INTEGER
export const largestDouble = 1e150
export const smallestDouble = 1e-150

/** Timestamps are whole milliseconds since 1970 UTC, from the year 1 to the year 9999. */
export const earliestTimestamp = -62_135_596_800_000
export const latestTimestamp = 253_402_300_799_999

/** Durations are whole milliseconds, up to 10 000 years. */
export const longestDuration = 315_576_000_000_000

export const msPerDay = 86_400_000

/** The int, or undefined where it is out of range. Adding zero turns -0 into 0. */
export function boundInt(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value + 0 : undefined
}

/** The double, zero where it is nearer to zero than doubles go, undefined where it is too large or not a number. */
export function boundDouble(value: number): number | undefined {
  const magnitude = Math.abs(value)
  if (magnitude < smallestDouble) return 0
  return magnitude <= largestDouble ? value : undefined
}

export function boundTimestamp(milliseconds: number): number | undefined {
  return milliseconds >= earliestTimestamp && milliseconds <= latestTimestamp ? milliseconds : undefined
}

export function boundDuration(milliseconds: number): number | undefined {
  return Math.abs(milliseconds) <= longestDuration ? milliseconds + 0 : undefined
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

/** Milliseconds of an RFC 3339 timestamp, cut (not rounded) to the millisecond; undefined where it is none. */
export function parseTimestamp(text: string): number | undefined {
  if (!rfc3339.test(text)) return undefined
  const milliseconds = Date.parse(text)
  return Number.isNaN(milliseconds) ? undefined : boundTimestamp(milliseconds)
}

const durationUnits: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/** Milliseconds of `1h30m`, `-1.5s` or `250ms`; undefined where it is none or not whole milliseconds. */
export function parseDuration(text: string): number | undefined {
  if (!/^-?(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) {
    total += Number(amount) * (durationUnits[unit ?? ''] ?? Number.NaN)
  }
  if (!Number.isInteger(total)) return undefined
  return boundDuration(text.startsWith('-') ? -total : total)
}

/**
 * Turns a caller's value into one to compute with: null where there is no value (null, undefined, NaN, infinity, out of
 * range), undefined where it is of another type.
 */
export type Reader = (raw: unknown) => unknown

const readers: Record<Kind, Reader> = {
  int(raw) {
    if (typeof raw === 'number')
      return Number.isFinite(raw) && !Number.isInteger(raw) ? undefined : (boundInt(raw) ?? null)
    if (typeof raw === 'bigint') return boundInt(Number(raw)) ?? null
    return raw == null ? null : undefined
  },
  double(raw) {
    if (typeof raw === 'number') return boundDouble(raw) ?? null
    if (typeof raw === 'bigint') return boundDouble(Number(raw)) ?? null
    return raw == null ? null : undefined
  },
  bool: (raw) => (typeof raw === 'boolean' ? raw : raw == null ? null : undefined),
  string: (raw) => (typeof raw === 'string' ? raw : raw == null ? null : undefined),
  timestamp(raw) {
    if (raw instanceof Date) return boundTimestamp(raw.getTime()) ?? null
    if (typeof raw === 'string') return parseTimestamp(raw)
    return raw == null ? null : undefined
  },
  duration: () => undefined,
  null: (raw) => (raw == null ? null : undefined),
  dyn(raw) {
    if (typeof raw === 'number') return boundDouble(raw) ?? null
    if (typeof raw === 'bigint') return boundInt(Number(raw)) ?? null
    return raw ?? null
  },
  list: (raw) => (Array.isArray(raw) ? raw : raw == null ? null : undefined),
  map: (raw) => (isRecord(raw) ? raw : raw == null ? null : undefined),
  object: (raw) => (isRecord(raw) ? raw : raw == null ? null : undefined),
}

export function readerOf(type: Type): Reader {
  return readers[type.kind]
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** Orders strings by code point, as SQL's bytewise order of UTF-8 does; JavaScript's `<` orders by UTF-16 unit. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) {
      const surrogates = Number(isSurrogate(x)) - Number(isSurrogate(y))
      return surrogates === 0 ? x - y : surrogates
    }
  }
  return a.length - b.length
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}
