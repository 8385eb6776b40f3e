import fc, { type Arbitrary } from 'fast-check'
import { defineVariables } from './types.ts'

/** For property tests: portable expressions over these variables, and rows of values at the edges of their types. */
export const arbitraryVariables = defineVariables({
  i: 'int',
  j: 'int?',
  x: 'double',
  y: 'double?',
  s: 'string',
  r: 'string?',
  p: 'bool',
  q: 'bool?',
  t: 'timestamp',
  u: 'timestamp?',
})

type Kind = 'int' | 'double' | 'bool' | 'string' | 'timestamp' | 'duration'

const literals = {
  int: ['0', '1', '-1', '2', '7', '-13', '60', '86400', '9007199254740991', '-9007199254740991', '4503599627370497'],
  double: [
    '0.0',
    '1.0',
    '-1.0',
    '0.5',
    '-2.5',
    '0.1',
    '3.0',
    '1e150',
    '-1e150',
    '1e-150',
    '1e-75',
    '1e76',
    '450.0',
    '1e6',
    '0.49999999999999994',
  ],
  bool: ['true', 'false'],
  string: [
    '""',
    '"a"',
    '"ab"',
    '"B"',
    '"é"',
    '"e\\u0301"',
    '"\\u0301"',
    '"😀"',
    '"\\uffff"',
    '"-12"',
    '"3.5e2"',
    '"0x1"',
    '"it\'s"',
    '"a\\nb"',
    '"%_"',
    '"\\\\"',
  ],
  timestamp: [
    'timestamp("2013-02-28T23:59:59.999Z")',
    'timestamp("1969-12-31T23:59:59.999Z")',
    'timestamp("2000-12-31T12:00:00+02:00")',
    'timestamp("0001-01-01T00:00:00Z")',
    'timestamp("9999-12-31T23:59:59.999Z")',
  ],
  duration: ['duration("30m")', 'duration("1ms")', 'duration("-36h")', 'duration("8784h")'],
}

const patterns = [
  '"^a"',
  '"b$"',
  '"a.b"',
  '"[a-c]+"',
  '"(?:a|b){2,3}"',
  '"^-?\\\\d+$"',
  '"[^\\\\w]"',
  '"\\\\S\\\\s"',
  '"^$"',
  '"é|😀"',
]

function leaf(kind: Kind, ...variables: string[]): Arbitrary<string> {
  return fc.oneof({ arbitrary: fc.constantFrom(...variables), weight: 3 }, fc.constantFrom(...literals[kind]))
}

function join(separator: string, ...parts: Arbitrary<string>[]): Arbitrary<string> {
  return fc.tuple(...parts).map((texts) => `(${texts.join(separator)})`)
}

function infix(operators: readonly string[], left: Arbitrary<string>, right: Arbitrary<string>): Arbitrary<string> {
  return fc.tuple(left, fc.constantFrom(...operators), right).map((parts) => `(${parts.join(' ')})`)
}

function method(
  names: readonly string[],
  receiver: Arbitrary<string>,
  ...operands: Arbitrary<string>[]
): Arbitrary<string> {
  return fc
    .tuple(receiver, fc.constantFrom(...names), fc.tuple(...operands))
    .map(([text, name, list]) => `${text}.${name}(${list.join(', ')})`)
}

function call(names: readonly string[], ...operands: Arbitrary<string>[]): Arbitrary<string> {
  return fc.tuple(fc.constantFrom(...names), fc.tuple(...operands)).map(([name, list]) => `${name}(${list.join(', ')})`)
}

function choice(condition: Arbitrary<string>, value: Arbitrary<string>): Arbitrary<string> {
  return fc.tuple(condition, value, value).map(([c, a, b]) => `(${c} ? ${a} : ${b})`)
}

function member(kind: 'int' | 'double' | 'string', item: Arbitrary<string>): Arbitrary<string> {
  const list = fc.array(fc.constantFrom(...literals[kind]), { maxLength: 3 })
  return fc.tuple(item, list).map(([text, options]) => `(${text} in [${options.join(', ')}])`)
}

const comparisons = ['<', '<=', '>', '>='] as const
const equalities = ['==', '!='] as const

function nest(kind: Kind, variables: string[], ...parts: Arbitrary<string>[]): Arbitrary<string> {
  const operations = parts.map((arbitrary) => ({ arbitrary, weight: 2 }))
  return fc.oneof({ withCrossShrink: true }, leaf(kind, ...variables), ...operations)
}

function leaves(): Record<Kind, Arbitrary<string>> {
  return {
    int: leaf('int', 'i', 'j'),
    double: leaf('double', 'x', 'y'),
    bool: leaf('bool', 'p', 'q'),
    string: leaf('string', 's', 'r'),
    timestamp: leaf('timestamp', 't', 'u'),
    duration: leaf('duration', '(t - u)'),
  }
}

/** Expressions of every type whose operands are the given ones. */
function over({
  int,
  double,
  bool,
  string,
  timestamp,
  duration,
}: Record<Kind, Arbitrary<string>>): Record<Kind, Arbitrary<string>> {
  return {
    int: nest(
      'int',
      ['i', 'j'],
      infix(['+', '-', '*', '/', '%'], int, int),
      int.map((text) => `(-${text})`),
      call(['int'], fc.oneof(double, string, timestamp)),
      call(['math.abs'], int),
      call(['math.greatest', 'math.least'], int, int, int),
      method(['size'], string),
      method(['getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek', 'getDayOfYear'], timestamp),
      method(['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'], timestamp),
      method(['getHours', 'getMinutes', 'getSeconds'], duration),
      choice(bool, int),
      fc.constant('(j == null ? 0 : j)'),
    ),
    double: nest(
      'double',
      ['x', 'y'],
      infix(['+', '-', '*', '/'], double, double),
      double.map((text) => `(-${text})`),
      call(['double'], fc.oneof(int, string)),
      call(['math.abs', 'math.floor', 'math.ceil', 'math.round', 'math.sqrt'], double),
      call(['math.exp', 'math.log', 'math.sin', 'math.cos'], double),
      call(['math.greatest', 'math.least'], double, double),
      choice(bool, double),
    ),
    bool: nest(
      'bool',
      ['p', 'q'],
      infix(['&&', '||'], bool, bool),
      bool.map((text) => `!${text}`),
      infix(comparisons, fc.oneof(int, double), fc.oneof(int, double)),
      infix(comparisons, string, string),
      infix(comparisons, timestamp, timestamp),
      infix(comparisons, duration, duration),
      infix(equalities, fc.oneof(int, double), fc.oneof(int, double)),
      infix(equalities, string, string),
      infix(equalities, timestamp, timestamp),
      infix(equalities, bool, bool),
      infix(equalities, fc.constantFrom('j', 'y', 'r', 'q', 'u'), fc.constant('null')),
      infix(equalities, fc.constantFrom('j', 'y'), fc.constantFrom('j', 'y', 'i', 'x', '0')),
      member('int', int),
      member('double', double),
      member('string', string),
      method(['startsWith', 'endsWith', 'contains'], string, string),
      method(['matches'], string, fc.constantFrom(...patterns)),
      choice(bool, bool),
    ),
    string: nest(
      'string',
      ['s', 'r'],
      infix(['+'], string, string),
      call(['string'], fc.oneof(int, bool, string)),
      method(['lowerAscii', 'upperAscii'], string),
      choice(bool, string),
    ),
    timestamp: nest(
      'timestamp',
      ['t', 'u'],
      infix(['+', '-'], timestamp, duration),
      join(' + ', duration, timestamp),
      call(['timestamp'], int),
      choice(bool, timestamp),
    ),
    duration: nest(
      'duration',
      ['duration("1h")'],
      join(' - ', timestamp, timestamp),
      infix(['+', '-'], duration, duration),
      call(['seconds', 'minutes', 'hours', 'days'], fc.oneof(int, double)),
    ),
  }
}

function nested(depth: number): Arbitrary<string>[] {
  let kinds = leaves()
  for (let level = 0; level < depth; level++) kinds = over(kinds)
  return [kinds.int, kinds.double, kinds.bool, kinds.string, kinds.timestamp]
}

/** The text of an expression that yields a value of any type; most are portable. */
export const arbitraryExpression: Arbitrary<string> = fc.oneof(
  { withCrossShrink: true },
  ...nested(1),
  ...nested(3),
  ...nested(4),
)

/** A regular expression put together from pieces; many are none, and some are not portable. */
export const arbitraryPattern: Arbitrary<string> = fc
  .array(
    fc.constantFrom(
      ...[
        'a',
        'b',
        'A',
        'é',
        '😀',
        '.',
        '^',
        '$',
        '*',
        '+?',
        '{2}',
        '{0,2}',
        '(',
        ')',
        '(?:',
        '|',
        '[',
        '[^',
        ']',
        'a-c',
      ],
      ...['\\d', '\\W', '\\s', '\\.', '\\\\', '\\n', '\\]', '\\b', '(?i)', '\\pL', '1', '-', ' ', "'"],
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((pieces) => pieces.join(''))

const instant = fc.date({
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
})
const int = fc.oneof(fc.integer({ min: -100, max: 100 }), fc.maxSafeInteger(), fc.constantFrom(0, 1, -1, 2 ** 52))
const double = fc.oneof(
  fc.double({ min: -100, max: 100, noNaN: true }),
  fc.double(),
  fc.constantFrom(0, 0.5, -2.5, 1.5, 1e150, -1e76, 1e-150, 1e-200, 709.5, -380.2),
)
const text = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', 'b', 'B', ' ', '-', '1', 'é', '\u0301', '😀', '\uffff', '\n', '%', '\\', "'"),
    maxLength: 6,
  }),
  fc.constantFrom('12', '-7', '2.5', '1e3', '9007199254740993'),
)

/** One row of values for `arbitraryVariables`, some out of range. */
export const arbitraryRow = fc.record({
  i: int,
  j: fc.option(int),
  x: double,
  y: fc.option(double),
  s: text,
  r: fc.option(text),
  p: fc.boolean(),
  q: fc.option(fc.boolean()),
  t: instant,
  u: fc.option(instant),
})

export type ArbitraryRow = typeof arbitraryRow extends Arbitrary<infer Row> ? Row : never
