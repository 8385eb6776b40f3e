import { type SqlDialect, writeDouble } from './sql-dialect.ts'
import { largestDouble, smallestDouble } from './values.ts'

/**
 * exp, log, sin and cos out of the operations that IEEE 754 defines to the last bit. The libraries behind JavaScript,
 * DuckDB and PostgreSQL round theirs differently; these give one answer everywhere, within a few units in the last place.
 * Each formula is written once, over an arithmetic that either computes numbers or writes SQL.
 */
interface Arithmetic<T> {
  constant(value: number): T
  add(a: T, b: T): T
  subtract(a: T, b: T): T
  multiply(a: T, b: T): T
  divide(a: T, b: T): T
  floor(a: T): T
  atLeast(a: T, least: number): T
  /** Exact for whole exponents. */
  powerOfTwo(exponent: T): T
  /** floor(log2 a), which may be off by one. */
  estimateExponent(a: T): T
  /** `whenGreater` where a > limit, else `otherwise`. */
  choose(a: T, limit: number, whenGreater: T, otherwise: T): T
  /** Names values, so that a body which repeats them stays short. */
  let(values: readonly T[], body: (...names: T[]) => T): T
}

type Formula = <T>(arithmetic: Arithmetic<T>, x: T) => T

/** ln 2 and pi/2 in parts of few bits, so that whole multiples of the first part are exact (fdlibm's constants). */
const ln2 = [0.6931471803691238, 1.9082149292705877e-10] as const
const halfPi = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21] as const

const factorials = Array.from({ length: 19 }, (_, n) => {
  let product = 1
  for (let i = 2; i <= n; i++) product *= i
  return product
})

/** The first terms of the series with these signs over every `stride`-th factorial. */
function reciprocalFactorials(first: number, stride: number, alternating: boolean): number[] {
  const chosen = factorials.filter((_, n) => n >= first && (n - first) % stride === 0)
  return chosen.map((factorial, index) => (alternating && index % 2 === 1 ? -1 : 1) / factorial)
}

const expSeries = reciprocalFactorials(0, 1, false).slice(0, 14)
const sinSeries = reciprocalFactorials(1, 2, true)
const cosSeries = reciprocalFactorials(0, 2, true)
const logSeries = Array.from({ length: 12 }, (_, n) => 2 / (2 * n + 1))

function polynomial<T>(m: Arithmetic<T>, x: T, coefficients: readonly number[]): T {
  const [last, ...rest] = coefficients.map((coefficient) => m.constant(coefficient)).reverse()
  if (last === undefined) return m.constant(0)
  return rest.reduce((sum, coefficient) => m.add(m.multiply(sum, x), coefficient), last)
}

function nearestMultiple<T>(m: Arithmetic<T>, x: T, perUnit: number): T {
  return m.floor(m.add(m.multiply(x, m.constant(perUnit)), m.constant(0.5)))
}

function subtractMultiple<T>(m: Arithmetic<T>, x: T, k: T, parts: readonly number[]): T {
  return parts.reduce((rest, part) => m.subtract(rest, m.multiply(k, m.constant(part))), x)
}

/** exp x = 2^k exp r, with x = k ln 2 + r. */
const exp: Formula = (m, x) =>
  m.let([x], (given) =>
    m.let([m.atLeast(given, -400)], (bounded) =>
      m.let([bounded, nearestMultiple(m, bounded, Math.LOG2E)], (y, k) =>
        m.let([subtractMultiple(m, y, k, ln2), k], (r, exponent) =>
          m.multiply(polynomial(m, r, expSeries), m.powerOfTwo(exponent)),
        ),
      ),
    ),
  )

/** log x = k ln 2 + log f, with x = 2^k f, f between sqrt(1/2) and sqrt 2, log f = 2 artanh s, s = (f - 1) / (f + 1). */
const log: Formula = (m, x) =>
  m.let([x, m.estimateExponent(x)], (y, estimate) =>
    m.let([m.divide(y, m.powerOfTwo(estimate)), estimate], (f, k) =>
      m.let(
        [m.choose(f, Math.SQRT2, m.divide(f, m.constant(2)), f), m.choose(f, Math.SQRT2, m.add(k, m.constant(1)), k)],
        (fraction, exponent) =>
          m.let([m.divide(m.subtract(fraction, m.constant(1)), m.add(fraction, m.constant(1))), exponent], (s, e) =>
            m.add(
              m.multiply(e, m.constant(ln2[0])),
              m.add(m.multiply(e, m.constant(ln2[1])), m.multiply(s, polynomial(m, m.multiply(s, s), logSeries))),
            ),
          ),
      ),
    ),
  )

/** sin(x + quarterTurns pi/2), from the series around the nearest multiple of pi/2. */
function sineFrom(quarterTurns: number): Formula {
  return (m, x) =>
    m.let([x, nearestMultiple(m, x, 2 / Math.PI)], (y, k) =>
      m.let([subtractMultiple(m, y, k, halfPi), m.add(k, m.constant(quarterTurns))], (r, turns) =>
        m.let(
          [r, m.multiply(r, r), m.subtract(turns, m.multiply(m.floor(m.divide(turns, m.constant(4))), m.constant(4)))],
          (angle, square, quadrant) =>
            m.let(
              [m.multiply(angle, polynomial(m, square, sinSeries)), polynomial(m, square, cosSeries), quadrant],
              (sine, cosine, q) => {
                const zero = m.constant(0)
                const upper = m.choose(q, 0.5, cosine, sine)
                const lower = m.choose(q, 2.5, m.subtract(zero, cosine), m.subtract(zero, sine))
                return m.choose(q, 1.5, lower, upper)
              },
            ),
        ),
      ),
    )
}

const numbers: Arithmetic<number> = {
  constant: (value) => value,
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  floor: Math.floor,
  atLeast: Math.max,
  powerOfTwo: (exponent) => 2 ** exponent,
  estimateExponent: (a) => Math.floor(Math.log2(a)),
  choose: (a, limit, whenGreater, otherwise) => (a > limit ? whenGreater : otherwise),
  let: (values, body) => body(...values),
}

function sqlArithmetic(dialect: SqlDialect): Arithmetic<string> {
  const constant = (value: number) => writeDouble(dialect, value)
  return {
    constant,
    add: (a, b) => `(${a} + ${b})`,
    subtract: (a, b) => `(${a} - ${b})`,
    multiply: (a, b) => `(${a} * ${b})`,
    divide: (a, b) => `(${a} / ${b})`,
    floor: (a) => `floor(${a})`,
    atLeast: (a, least) => `CASE WHEN ${a} < ${constant(least)} THEN ${constant(least)} ELSE ${a} END`,
    powerOfTwo: (exponent) => `power(${constant(2)}, ${exponent})`,
    estimateExponent: (a) => `floor(ln(${a}) / ${constant(Math.LN2)})`,
    choose: (a, limit, whenGreater, otherwise) =>
      `CASE WHEN ${a} > ${constant(limit)} THEN ${whenGreater} ELSE ${otherwise} END`,
    let: (values, body) => dialect.let(values, body),
  }
}

/** A formula and the arguments it is good for. */
interface ElementaryFunction {
  formula: Formula
  least: number
  most: number
}

const elementaryFunctions = {
  exp: { formula: exp, least: -largestDouble, most: 400 },
  log: { formula: log, least: smallestDouble, most: largestDouble },
  sin: { formula: sineFrom(0), least: -1e6, most: 1e6 },
  cos: { formula: sineFrom(1), least: -1e6, most: 1e6 },
} satisfies Record<string, ElementaryFunction>

export type ElementaryName = keyof typeof elementaryFunctions

/** The value, undefined outside the function's range of arguments; it may still be too large for a double of expressions. */
export function evaluateElementary(name: ElementaryName, x: number): number | undefined {
  const { formula, least, most } = elementaryFunctions[name]
  return x >= least && x <= most ? formula(numbers, x) : undefined
}

export function elementarySql(name: ElementaryName, dialect: SqlDialect, x: string): string {
  const { formula, least, most } = elementaryFunctions[name]
  const inRange = dialect.let(
    [x],
    (v) => `CASE WHEN ${v} BETWEEN ${writeDouble(dialect, least)} AND ${writeDouble(dialect, most)} THEN ${v} END`,
  )
  return formula(sqlArithmetic(dialect), inRange)
}
