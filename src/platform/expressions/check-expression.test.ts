import { describe, expect, test } from 'vitest'
import { PaveError } from '../errors.ts'
import { type CheckOptions, checkExpression } from './check-expression.ts'
import type { expressionErrors } from './errors.ts'
import { expressionLimits } from './parse-expression.ts'
import { defineVariables, type Variables } from './types.ts'

const variables = defineVariables({
  x: 'double',
  n: 'int',
  m: 'int?',
  s: 'string',
  t: 'timestamp',
  distance: 'double',
  version: {
    fields: {
      tier: 'string',
      metrics: { map: 'double' },
      labels: 'dyn',
      approvals: { list: { fields: { role: 'string', at: 'timestamp' } } },
    },
  },
})

function refusal(text: string, options: CheckOptions = {}, over: Variables = variables): PaveError {
  try {
    checkExpression(text, over, options)
  } catch (error) {
    if (error instanceof PaveError) return error
    throw error
  }
  throw new Error(`${text} was accepted`)
}

describe('what it finds out', () => {
  test('the type of the answer, and the values read', () => {
    const checked = checkExpression(
      'version.tier == "high" && version.metrics.auc > 0.9 ? x : distance / 2.0',
      variables,
    )
    expect(checked).toMatchObject({
      type: 'double',
      nullable: false,
      reads: ['distance', 'version.metrics', 'version.tier', 'x'],
      portable: false,
    })
  })

  test.each([
    ['n + 1', 'int', false],
    ['m', 'int', true],
    ['n > 0 ? m : null', 'int', true],
    ['m + 1', 'int', false],
    ['t + duration("30m") + seconds(distance / 450.0 * 3600.0)', 'timestamp', false],
    ['t - t > duration("1h")', 'bool', false],
    ['n > 1.5 && x == 3', 'bool', false],
    ['version.labels.team', 'dyn', true],
  ])('%s yields %s', (text, type, nullable) => {
    expect(checkExpression(text, variables)).toMatchObject({ type, nullable })
  })

  test.each([
    'version.labels.team == "risk"',
    'version.approvals.exists(a, a.role == "risk")',
    'version.approvals.filter(a, a.at > t).size() >= 2',
    'version.metrics["auc"] > 0.9',
    'string(x) == "1"',
    '(n > 0 ? m : null) == 1',
    's.matches("\\\\bword")',
    'n in [n, 2]',
    '"a\\u0000" == s',
  ])('%s is not portable', (text) => {
    expect(checkExpression(text, variables).portable).toBe(false)
    expect(refusal(text, { portable: true }).code).toBe('expression_not_portable')
  })
})

const refusals: [text: string, code: keyof typeof expressionErrors, line: number, column: number, part: string][] = [
  ['x >', 'expression_syntax', 1, 4, ''],
  ['x = 1.0', 'expression_syntax', 1, 3, '='],
  ['n > 0\n  and x > 0.0', 'expression_syntax', 2, 3, 'and'],
  ['x > 0.0 &&\n  missing > 1.0', 'expression_unknown_name', 2, 3, 'missing'],
  ['version.teir == "a"', 'expression_unknown_name', 1, 1, 'version.teir'],
  ['s.sizes() > 1', 'expression_unknown_name', 1, 1, 's.sizes()'],
  ['x * 2 > 1.0', 'expression_type', 1, 1, 'x * 2'],
  ['s == 1', 'expression_type', 1, 1, 's == 1'],
  ['n == null', 'expression_type', 1, 1, 'n == null'],
  ['s && true', 'expression_type', 1, 1, 's'],
  ['n > 0 ? n : s', 'expression_type', 1, 1, 'n > 0 ? n : s'],
  ['n in ["a"]', 'expression_type', 1, 1, 'n in ["a"]'],
  ['n in [1, "a"]', 'expression_type', 1, 10, '"a"'],
  ['s.matches("(?=a)")', 'expression_type', 1, 11, '"(?=a)"'],
  ['s.matches(s)', 'expression_type', 1, 1, 's.matches(s)'],
  ['timestamp("yesterday") < t', 'expression_type', 1, 1, 'timestamp("yesterday")'],
  ['duration("1 week") == t - t', 'expression_type', 1, 1, 'duration("1 week")'],
  ['t.getHours("Europe/Paris") > 1', 'expression_type', 1, 1, 't.getHours("Europe/Paris")'],
  ['n > 9007199254740992', 'expression_type', 1, 5, '9007199254740992'],
  ['version.labels.score * 2.0 > 1.0', 'expression_type', 1, 1, 'version.labels.score * 2.0'],
  ['version.tier.name == "a"', 'expression_type', 1, 1, 'version.tier.name'],
  ['has(n)', 'expression_type', 1, 1, 'has(n)'],
  ['n.exists(i, i > 0)', 'expression_type', 1, 1, 'n.exists(i, i > 0)'],
  ['version.approvals.map(a, a.role).size() > 0', 'expression_unknown_name', 1, 1, 'version.approvals.map(a, a.role)'],
  ['duration(s) > duration("1s")', 'expression_unsupported', 1, 1, 'duration(s)'],
  ['5u > 1u', 'expression_unsupported', 1, 1, '5u'],
  ['b"a" == b"a"', 'expression_unsupported', 1, 1, 'b"a"'],
  ['s.size().x > 1', 'expression_unsupported', 1, 1, 's.size()'],
  ['t - t', 'expression_result_type', 1, 1, 't - t'],
  ['version', 'expression_result_type', 1, 1, 'version'],
]

describe('what it refuses', () => {
  test.each(refusals)('%s', (text, code, line, column, part) => {
    const error = refusal(text)
    expect(error).toMatchObject({ code, status: 422, details: { position: { line, column } } })
    expect(error.details?.['part']).toBe(part)
    expect(error.message).toContain(`Line ${line}, column ${column}`)
    expect(error.hint).not.toBe('')
  })

  test('an answer of another type than is expected', () => {
    expect(refusal('n + 1', { expect: 'double' })).toMatchObject({
      code: 'expression_result_type',
      hint: 'Write double(…) around it.',
    })
    expect(refusal('n + 1', { expect: 'bool' }).hint).toContain('x > 0')
    expect(checkExpression('double(n + 1)', variables, { expect: 'double' }).type).toBe('double')
  })

  test('a misspelt name, with the one that was meant', () => {
    expect(refusal('distnace > 1.0').hint).toBe('Did you mean `distance`?')
    expect(refusal('version.teir == "a"').hint).toBe('Did you mean `tier`?')
    expect(refusal('s.startWith("a")').hint).toBe('Did you mean `startsWith`?')
  })

  test.each([
    ['characters', `s == "${'a'.repeat(expressionLimits.characters)}"`],
    ['parts', Array.from({ length: 400 }, () => 'n > 0').join(' || ')],
    ['levels', Array.from({ length: expressionLimits.depth + 2 }, () => 'n').join(' + ')],
    ['items', `n in [${Array.from({ length: expressionLimits.listItems + 1 }, (_, i) => i).join(', ')}]`],
    ['steps', 'version.approvals.all(a, version.approvals.all(b, a.role == b.role))'],
    ['parentheses', `${'('.repeat(300)}n${')'.repeat(300)}`],
  ])('more %s than the limits allow', (_, text) => {
    expect(refusal(text).code).toBe('expression_too_complex')
  })

  test.each([
    [{ 'a-b': 'int' }, 'cannot be written in CEL'],
    [{ in: 'int' }, 'meaning of its own'],
    [{ math: 'int' }, 'meaning of its own'],
    [{ constructor: 'int' }, 'meaning of its own'],
    [{ row: { fields: { 'a b': 'int' } } }, '`row.a b`'],
  ] as const)('the variable %j', (declared, message) => {
    expect(() => defineVariables(declared)).toThrow(message)
  })
})
