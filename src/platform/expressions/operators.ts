import { type Overload, overload } from './overload.ts'
import { boundDoubleSql, boundDurationSql, boundIntSql, boundTimestampSql } from './sql-dialect.ts'
import { boundDouble, boundDuration, boundInt, boundTimestamp, compareStrings } from './values.ts'

const zeroDivisor = 'the divisor is 0, or the result is out of range'

export const arithmeticOperators: Overload[] = [
  overload('int + int: int', {
    evaluate: (a: number, b: number) => boundInt(a + b),
    sql: (d, a, b) => boundIntSql(d, `(${a} + ${b})`),
  }),
  overload('int - int: int', {
    evaluate: (a: number, b: number) => boundInt(a - b),
    sql: (d, a, b) => boundIntSql(d, `(${a} - ${b})`),
  }),
  overload('int * int: int', {
    evaluate: (a: number, b: number) => boundInt(a * b),
    sql: (d, a, b) => boundIntSql(d, `(CAST(${a} AS ${d.wideInteger}) * ${b})`),
  }),
  overload('int / int: int', {
    evaluate: (a: number, b: number) => (b === 0 ? undefined : boundInt((a - (a % b)) / b)),
    sql: (d, a, b) => d.divideInts(a, b),
    withoutAnswer: 'the divisor is 0',
  }),
  overload('int % int: int', {
    evaluate: (a: number, b: number) => (b === 0 ? undefined : boundInt(a % b)),
    sql: (d, a, b) => d.remainder(a, b),
    withoutAnswer: 'the divisor is 0',
  }),
  overload('- int: int', { evaluate: (a: number) => boundInt(-a), sql: (_, a) => `(-${a})` }),
  overload('double + double: double', {
    evaluate: (a: number, b: number) => boundDouble(a + b),
    sql: (d, a, b) => boundDoubleSql(d, `(${a} + ${b})`),
  }),
  overload('double - double: double', {
    evaluate: (a: number, b: number) => boundDouble(a - b),
    sql: (d, a, b) => boundDoubleSql(d, `(${a} - ${b})`),
  }),
  overload('double * double: double', {
    evaluate: (a: number, b: number) => boundDouble(a * b),
    sql: (d, a, b) => boundDoubleSql(d, `(${a} * ${b})`),
  }),
  overload('double / double: double', {
    evaluate: (a: number, b: number) => boundDouble(a / b),
    sql: (d, a, b) => boundDoubleSql(d, d.divideDoubles(a, b)),
    withoutAnswer: zeroDivisor,
  }),
  overload('- double: double', { evaluate: (a: number) => 0 - a, sql: (_, a) => `(0 - ${a})` }),
  overload('string + string: string', {
    evaluate: (a: string, b: string) => a + b,
    sql: (_, a, b) => `(${a} || ${b})`,
  }),
  overload('timestamp + duration: timestamp', {
    evaluate: (a: number, b: number) => boundTimestamp(a + b),
    sql: (d, a, b) => boundTimestampSql(d, `(${a} + ${b})`),
  }),
  overload('duration + timestamp: timestamp', {
    evaluate: (a: number, b: number) => boundTimestamp(a + b),
    sql: (d, a, b) => boundTimestampSql(d, `(${a} + ${b})`),
  }),
  overload('timestamp - duration: timestamp', {
    evaluate: (a: number, b: number) => boundTimestamp(a - b),
    sql: (d, a, b) => boundTimestampSql(d, `(${a} - ${b})`),
  }),
  overload('timestamp - timestamp: duration', {
    evaluate: (a: number, b: number) => a - b,
    sql: (_, a, b) => `(${a} - ${b})`,
  }),
  overload('duration + duration: duration', {
    evaluate: (a: number, b: number) => boundDuration(a + b),
    sql: (d, a, b) => boundDurationSql(d, `(${a} + ${b})`),
  }),
  overload('duration - duration: duration', {
    evaluate: (a: number, b: number) => boundDuration(a - b),
    sql: (d, a, b) => boundDurationSql(d, `(${a} - ${b})`),
  }),
]

const orders: Record<string, (sign: number) => boolean> = {
  '<': (sign) => sign < 0,
  '<=': (sign) => sign <= 0,
  '>': (sign) => sign > 0,
  '>=': (sign) => sign >= 0,
}

const orderedPairs = [
  ['int', 'int'],
  ['double', 'double'],
  ['int', 'double'],
  ['double', 'int'],
  ['timestamp', 'timestamp'],
  ['duration', 'duration'],
] as const

export const comparisonOperators: Overload[] = Object.entries(orders).flatMap(([operator, holds]) => [
  ...orderedPairs.map(([left, right]) =>
    overload(`${left} ${operator} ${right}: bool`, {
      evaluate: (a: number, b: number) => holds(a - b),
      sql: (_, a, b) => `(${a} ${operator} ${b})`,
    }),
  ),
  overload(`string ${operator} string: bool`, {
    evaluate: (a: string, b: string) => holds(compareStrings(a, b)),
    sql: (_, a, b) => `(${a} ${operator} ${b})`,
  }),
  overload(`dyn ${operator} dyn: bool`, {
    evaluate(a: unknown, b: unknown) {
      if (typeof a === 'number' && typeof b === 'number') return holds(a - b)
      if (typeof a === 'string' && typeof b === 'string') return holds(compareStrings(a, b))
      return undefined
    },
    withoutAnswer: 'the two values have no common order',
  }),
])

export const logicOperators: Overload[] = [
  overload('! bool: bool', { evaluate: (a: boolean) => !a, sql: (_, a) => `(NOT ${a})` }),
  overload('bool(dyn): bool', {
    evaluate: (value: unknown) => (typeof value === 'boolean' ? value : undefined),
    withoutAnswer: 'the value is not a bool',
  }),
]
