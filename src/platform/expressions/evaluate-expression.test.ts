import { Environment } from '@marcbachmann/cel-js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arbitraryExpression, arbitraryRow, arbitraryVariables } from './arbitrary-expression.ts'
import { checkExpression } from './check-expression.ts'
import { evaluate } from './evaluate-expression.ts'
import { defineVariables } from './types.ts'

const variables = defineVariables({
  x: 'double',
  n: 'int',
  m: 'int?',
  s: 'string',
  t: 'timestamp',
  date: 'timestamp',
  distance: 'double',
  limits: { list: 'int' },
  version: {
    fields: {
      tier: 'string',
      metrics: { map: 'double' },
      labels: 'dyn',
      approvals: { list: { fields: { role: 'string', at: 'timestamp' } } },
    },
  },
})

const values = {
  x: 2.5,
  n: 7,
  m: null,
  s: 'héllo😀',
  t: '2013-07-04T22:45:30.123456Z',
  date: new Date('2013-01-01T10:00:00Z'),
  distance: 900,
  limits: [1, 2, 3],
  version: {
    tier: 'high',
    metrics: { auc: 0.93 },
    labels: { team: 'risk', score: 3, tags: ['a', 'b'] },
    approvals: [
      { role: 'risk', at: '2013-07-01T00:00:00Z' },
      { role: 'owner', at: '2013-07-09T00:00:00Z' },
    ],
  },
}

function evaluated(text: string, given: Record<string, unknown> = values) {
  return evaluate(checkExpression(text, variables), given)
}

test.each([
  ['n / 2', 3],
  ['-n / 2', -3],
  ['-n % 4', -3],
  ['x * 2.0 + double(n)', 12],
  ['n > 6.5 && x == 2.5', true],
  ['size(s)', 6],
  ['s.startsWith("hé") && s.endsWith("😀") && s.contains("llo")', true],
  ['s.matches("^h.l+o")', true],
  ['"\\uffff" < "😀"', true],
  ['"ÀB".lowerAscii()', 'Àb'],
  ['s in ["a", "héllo😀"]', true],
  ['n in []', false],
  ['2 in limits', true],
  ['"auc" in version.metrics', true],
  ['m == null ? 0 : m + 1', 0],
  ['m == 0', false],
  ['m', null],
  ['t.getFullYear() * 10000 + (t.getMonth() + 1) * 100 + t.getDate()', 20130704],
  ['t.getDayOfWeek()', 4],
  ['t.getDayOfYear()', 184],
  ['t.getHours() * 60 + t.getMinutes()', 1365],
  ['t.getMilliseconds()', 123],
  ['date + duration("30m") + hours(distance / 450.0)', new Date('2013-01-01T12:30:00Z')],
  ['date + seconds(0.0019)', new Date('2013-01-01T10:00:00.001Z')],
  ['(t - date).getHours()', 4428],
  ['string(date)', '2013-01-01T10:00:00.000Z'],
  ['int("42") + int(2.9) + int(date - days(15700))', 44 + 1357034400 - 15700 * 86400],
  ['math.round(-2.5)', -3],
  ['math.greatest(n, 3, 9)', 9],
  ['math.sqrt(x * 10.0)', 5],
  ['version.metrics.auc >= 0.9 && version.tier == "high"', true],
  ['has(version.metrics.f1)', false],
  ['has(version.labels.team)', true],
  ['version.labels.tags[1]', 'b'],
  ['version.labels.score > 2', true],
  ['version.labels.team == 3', false],
  ['double(version.labels.score) / 2.0', 1.5],
  ['version.approvals.exists(a, a.role == "risk" && a.at < t)', true],
  ['version.approvals.all(a, a.at < t)', false],
  ['version.approvals.filter(a, a.at < t).size()', 1],
  ['n / 0 > 1 || true', true],
  ['false && n / 0 > 1', false],
])('%s', (text, value) => {
  expect(evaluated(text)).toEqual({ ok: true, value })
})

describe('a row without an answer', () => {
  test.each([
    ['n / 0', 'expression_no_result', 'the divisor is 0'],
    ['9007199254740991 + n', 'expression_no_result', 'out of range'],
    ['x / 0.0', 'expression_no_result', 'the divisor is 0'],
    ['math.log(-x)', 'expression_no_result', 'not positive'],
    ['int(s)', 'expression_no_result', 'not a number'],
    ['m + 1', 'expression_null_value', '`m` is null'],
    ['version.metrics.f1 > 0.5', 'expression_missing_value', '`version.metrics.f1`'],
    ['version.approvals[5].role', 'expression_missing_value', '`version.approvals[5].role`'],
    ['version.labels', 'expression_wrong_value', 'not a single value'],
    ['version.labels.team > 2', 'expression_no_result', 'no common order'],
    ['true && n / 0 > 1', 'expression_no_result', '`n / 0`'],
  ])('%s', (text, code, message) => {
    const result = evaluated(text)
    expect(result).toMatchObject({ ok: false, error: { code, message: expect.stringContaining(message) } })
  })

  test('says where', () => {
    expect(evaluated('n > 0 &&\n  n / 0 > 1')).toMatchObject({ error: { position: { line: 2, column: 3 } } })
  })

  test.each([
    ['n + 1', { n: '7' }, 'expression_wrong_value'],
    ['n + 1', { n: 1.5 }, 'expression_wrong_value'],
    ['n + 1', {}, 'expression_missing_value'],
    ['n + 1', { n: 2 ** 60 }, 'expression_missing_value'],
    ['x + 1.0', { x: Number.NaN }, 'expression_missing_value'],
    ['t < date', { t: 'yesterday', date: new Date(0) }, 'expression_wrong_value'],
    ['t == t', { t: new Date(Number.NaN) }, 'expression_missing_value'],
    ['2 in limits', { limits: Array.from({ length: 1001 }, () => 0) }, 'expression_wrong_value'],
    ['version.tier', { version: null }, 'expression_missing_value'],
    ['version.labels.constructor', { version: { labels: {} } }, 'expression_missing_value'],
  ])('%s of %j', (text, given, code) => {
    expect(evaluated(text, given)).toMatchObject({ ok: false, error: { code } })
  })
})

test('reads ints that callers hold as bigint', () => {
  expect(evaluated('n + 1', { n: 41n })).toEqual({ ok: true, value: 42 })
})

test.each([
  ['math.exp', Math.exp, -345, 345],
  ['math.log', Math.log, 1e-9, 1e9],
  ['math.sin', Math.sin, -1e5, 1e5],
  ['math.cos', Math.cos, -1e5, 1e5],
] as const)('%s is within a few units in the last place of the library', (name, library, min, max) => {
  const checked = checkExpression(`${name}(x)`, variables)
  const property = fc.property(fc.double({ min, max, noNaN: true }), (x) => {
    const result = evaluate(checked, { x })
    const expected = library(x)
    expect(result.ok && typeof result.value === 'number').toBe(true)
    const error = result.ok ? Math.abs(Number(result.value) - expected) : Number.NaN
    expect(error).toBeLessThanOrEqual(Math.max(4e-16, Math.abs(expected) * 8e-16))
  })
  fc.assert(property, { numRuns: 300 })
})

/**
 * Where the language has functions of its own or cel-js is at odds with CEL: it orders strings by UTF-16 unit, changes
 * case beyond ASCII, counts days by the local calendar, loses digits of durations, and matches by RegExp.
 */
const ours = /math\.|seconds|minutes|hours|days|duration| - |getDayOfYear|Ascii|matches|[<>]|\de/

/** Where CEL's own implementation knows all the functions, it must agree whenever both have an answer. */
test('answers as cel-js does', () => {
  const environment = new Environment()
  for (const [name, type] of Object.entries(arbitraryVariables)) {
    const kind = type.replace('?', '').replace('timestamp', 'google.protobuf.Timestamp')
    environment.registerVariable(name, type.endsWith('?') ? `dyn<${kind}>` : kind)
  }
  let compared = 0
  const tame = (value: number) => (Number.isFinite(value) ? Math.round(value % 1000) / 4 : 0)
  const tameRow = arbitraryRow.map((row) => ({ ...row, x: tame(row.x), y: row.y === null ? null : tame(row.y) }))
  const property = fc.property(arbitraryExpression, tameRow, (text, row) => {
    fc.pre(!ours.test(text))
    const reference = environment.parse(text)
    fc.pre(reference.check().valid)
    const result = evaluate(checkExpression(text, arbitraryVariables), row)
    fc.pre(result.ok && result.value !== null)
    compared += 1
    const context = { ...row, i: BigInt(row.i), j: row.j === null ? null : BigInt(row.j) }
    const expected: unknown = reference(context)
    const canonical = typeof expected === 'bigint' ? Number(expected) : expected
    expect(result).toEqual({ ok: true, value: canonical === 0 ? 0 : canonical })
  })
  fc.assert(property, { numRuns: 300, maxSkipsPerRun: 100 })
  expect(compared).toBeGreaterThan(200)
})
