import { type ElementaryName, elementarySql, evaluateElementary } from './elementary-functions.ts'
import { type Overload, overload } from './overload.ts'
import { boundDoubleSql } from './sql-dialect.ts'
import { boundDouble } from './values.ts'

function roundHalfAway(value: number): number {
  const whole = Math.trunc(value)
  return (Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole) + 0
}

function elementary(name: ElementaryName, withoutAnswer: string): Overload {
  return overload(`math.${name}(double): double`, {
    evaluate: (x: number) => boundDouble(evaluateElementary(name, x) ?? Number.NaN),
    sql: (d, x) => boundDoubleSql(d, elementarySql(name, d, x)),
    withoutAnswer,
    depth: 8,
  })
}

export const mathFunctions: Overload[] = [
  overload('math.abs(int): int', { evaluate: Math.abs, sql: (_, x) => `abs(${x})` }),
  overload('math.abs(double): double', { evaluate: Math.abs, sql: (_, x) => `abs(${x})` }),
  overload('math.floor(double): double', { evaluate: Math.floor, sql: (_, x) => `floor(${x})` }),
  overload('math.ceil(double): double', {
    evaluate: (x: number) => Math.ceil(x) + 0,
    sql: (_, x) => `(ceil(${x}) + 0)`,
  }),
  overload('math.round(double): double', {
    evaluate: roundHalfAway,
    sql: (d, x) =>
      d.let(
        [x],
        (v) => `CASE WHEN abs(${v} - trunc(${v})) >= 0.5 THEN trunc(${v}) + sign(${v}) ELSE trunc(${v}) + 0 END`,
      ),
  }),
  overload('math.sqrt(double): double', {
    evaluate: (x: number) => (x < 0 ? undefined : Math.sqrt(x)),
    sql: (d, x) => `sqrt(${d.let([x], (v) => `CASE WHEN ${v} >= 0 THEN ${v} END`)})`,
    withoutAnswer: 'the square root of a negative number',
  }),
  elementary('exp', 'the result is out of range'),
  elementary('log', 'the logarithm of a number that is not positive'),
  elementary('sin', 'the angle is beyond a million radians'),
  elementary('cos', 'the angle is beyond a million radians'),
  ...(['int', 'double'] as const).flatMap((type) => [
    overload(`math.greatest(${type}, ${type}): ${type}`, {
      evaluate: Math.max,
      sql: (d, a, b) => d.let([a, b], (x, y) => `CASE WHEN ${x} >= ${y} THEN ${x} WHEN ${y} > ${x} THEN ${y} END`),
    }),
    overload(`math.least(${type}, ${type}): ${type}`, {
      evaluate: Math.min,
      sql: (d, a, b) => d.let([a, b], (x, y) => `CASE WHEN ${x} <= ${y} THEN ${x} WHEN ${y} < ${x} THEN ${y} END`),
    }),
  ]),
]
