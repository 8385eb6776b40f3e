import { type Overload, overload } from './overload.ts'
import {
  boundDoubleSql,
  boundIntSql,
  boundTimestampSql,
  quoteString,
  type SqlDialect,
  writeDouble,
} from './sql-dialect.ts'
import { boundDouble, boundInt, boundTimestamp, parseTimestamp } from './values.ts'

const wholeNumber = /^-?[0-9]{1,16}$/
const decimalNumber = /^-?[0-9]{1,17}(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,2})?$/

function parseNumber(text: string, form: RegExp): number | undefined {
  return form.test(text) ? Number(text) : undefined
}

function parseNumberSql(d: SqlDialect, text: string, form: RegExp, type: string): string {
  const matching = d.let([text], (v) => `CASE WHEN ${d.matches(v, quoteString(form.source))} THEN ${v} END`)
  return `CAST(${matching} AS ${type})`
}

const notANumber = 'the value is not a number that this type holds'

export const conversions: Overload[] = [
  overload('int(int): int', { evaluate: (value: number) => value, sql: (_, value) => value }),
  overload('int(double): int', {
    evaluate: (value: number) => boundInt(Math.trunc(value)),
    sql: (d, value) => boundIntSql(d, `trunc(${value})`),
  }),
  overload('int(string): int', {
    evaluate: (text: string) => boundInt(parseNumber(text, wholeNumber) ?? Number.NaN),
    sql: (d, text) => boundIntSql(d, parseNumberSql(d, text, wholeNumber, d.integer)),
    withoutAnswer: notANumber,
  }),
  overload('int(timestamp): int', {
    evaluate: (milliseconds: number) => Math.floor(milliseconds / 1000),
    sql: (d, milliseconds) => `CAST(floor(${milliseconds} / ${writeDouble(d, 1000)}) AS ${d.integer})`,
  }),
  overload('int(dyn): int', {
    evaluate(value: unknown) {
      if (typeof value === 'number') return boundInt(Math.trunc(value))
      return typeof value === 'string' ? boundInt(parseNumber(value, wholeNumber) ?? Number.NaN) : undefined
    },
    withoutAnswer: notANumber,
  }),
  overload('double(double): double', { evaluate: (value: number) => value, sql: (_, value) => value }),
  overload('double(int): double', {
    evaluate: (value: number) => value,
    sql: (d, value) => `CAST(${value} AS ${d.double})`,
  }),
  overload('double(string): double', {
    evaluate: (text: string) => boundDouble(parseNumber(text, decimalNumber) ?? Number.NaN),
    sql: (d, text) => boundDoubleSql(d, parseNumberSql(d, text, decimalNumber, d.double)),
    withoutAnswer: notANumber,
  }),
  overload('double(dyn): double', {
    evaluate(value: unknown) {
      if (typeof value === 'number') return boundDouble(value)
      return typeof value === 'string' ? boundDouble(parseNumber(value, decimalNumber) ?? Number.NaN) : undefined
    },
    withoutAnswer: notANumber,
  }),
  overload('string(string): string', { evaluate: (text: string) => text, sql: (_, text) => text }),
  overload('string(int): string', { evaluate: (value: number) => `${value}`, sql: (d, value) => d.text(value) }),
  overload('string(bool): string', {
    evaluate: (value: boolean) => `${value}`,
    sql: (d, value) => d.text(`CASE ${value} WHEN TRUE THEN 'true' WHEN FALSE THEN 'false' END`),
  }),
  overload('string(double): string', { evaluate: (value: number) => `${value}` }),
  overload('string(timestamp): string', { evaluate: (milliseconds: number) => new Date(milliseconds).toISOString() }),
  overload('string(dyn): string', {
    evaluate: (value: unknown) =>
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? `${value}` : undefined,
    withoutAnswer: 'the value is not a string, number or bool',
  }),
  overload('timestamp(timestamp): timestamp', { evaluate: (value: number) => value, sql: (_, value) => value }),
  overload('timestamp(int): timestamp', {
    evaluate: (seconds: number) => boundTimestamp(seconds * 1000),
    sql: (d, seconds) => boundTimestampSql(d, `(CAST(${seconds} AS ${d.wideInteger}) * 1000)`),
  }),
  overload('timestamp(string): timestamp', {
    evaluate: parseTimestamp,
    withoutAnswer: 'the text is not an RFC 3339 time',
  }),
  overload('timestamp(dyn): timestamp', {
    evaluate(value: unknown) {
      if (value instanceof Date) return boundTimestamp(value.getTime())
      return typeof value === 'string' ? parseTimestamp(value) : undefined
    },
    withoutAnswer: 'the value is not an RFC 3339 time',
  }),
]
