import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arbitraryExpression, arbitraryPattern, arbitraryRow, arbitraryVariables } from './arbitrary-expression.ts'
import { checkExpression } from './check-expression.ts'
import { compileToSql } from './compile-to-sql.ts'
import { evaluate } from './evaluate-expression.ts'
import { overloads } from './functions.ts'
import { canonical, openDuckdb, openPostgres, type SqlEngine } from './open-sql-engine.ts'
import type { Overload } from './overload.ts'
import { expressionLimits } from './parse-expression.ts'
import type { CheckedExpression } from './tree.ts'
import type { VariableType } from './types.ts'

const rows = fc.sample(arbitraryRow, { numRuns: 60, seed: 7 })
const names = { column: (path: string) => `"${path}"` }

function inProcess(checked: CheckedExpression): unknown[] {
  return rows.map((row) => {
    const result = evaluate(checked, row)
    return result.ok ? canonical(result.value) : null
  })
}

const operands: Record<string, string[]> = {
  int: ['i', 'j', '-3', '0'],
  double: ['x', 'y', '0.5', '0.0'],
  bool: ['p', 'q', 'true', 'false'],
  string: ['s', 'r', '"a"', '""'],
  timestamp: ['t', 'u', 'timestamp("1969-12-31T23:59:59.999Z")'],
  duration: ['(t - u)', 'duration("-90m")', 'duration("1ms")'],
}

/** Calls of an overload with every combination of operands. */
function callsOf(overload: Overload): string[] {
  const calls = combineOperands(overload)
  return overload.returns === 'duration' ? calls.map((call) => `timestamp(0) + (${call})`) : calls
}

function combineOperands({ name, parameters }: Overload): string[] {
  const combinations = parameters.reduce<string[][]>(
    (lists, kind) => lists.flatMap((list) => (operands[kind] ?? []).map((operand) => [...list, operand])),
    [[]],
  )
  return combinations.map(([first = '', ...rest]) => {
    if (name.startsWith('unary ')) return `${name.slice('unary '.length)}(${first})`
    if (name.startsWith('.')) return `${first}${name}(${rest.join(', ')})`
    return /[a-z]/.test(name) ? `${name}(${[first, ...rest].join(', ')})` : `${first} ${name} ${rest.join()}`
  })
}

const nestings: Record<string, (inner: string) => string> = {
  x: (inner) => `(${inner} + x)`,
  i: (inner) => `(p ? ${inner} : i)`,
  y: (inner) => `math.round(${inner})`,
  p: (inner) => `(${inner} == p)`,
  s: (inner) => `${inner}.upperAscii()`,
  t: (inner) => `(${inner} + duration("1h"))`,
}

function nested(depth: number, innermost: string, nest: (inner: string) => string): string {
  return depth === 0 ? innermost : nest(nested(depth - 1, innermost, nest))
}

describe.each([
  ['duckdb', openDuckdb],
  ['postgres', openPostgres],
] as const)('%s', (dialect, open) => {
  let engine: SqlEngine
  beforeAll(async () => {
    engine = await open(rows)
  })
  afterAll(() => engine.close())

  async function expectOneAnswer(texts: readonly string[]): Promise<void> {
    const checked = texts.map((text) => checkExpression(text, arbitraryVariables, { portable: true }))
    const answers = await engine.answer(checked.map((expression) => compileToSql(expression, dialect, names)))
    for (const [index, expression] of checked.entries()) {
      expect(answers[index], expression.text).toEqual(inProcess(expression))
    }
  }

  test('answers every operator and function as in process', async () => {
    for (const overload of overloads.filter(({ sql }) => sql !== undefined)) await expectOneAnswer(callsOf(overload))
  })

  test('answers any expression as in process', async () => {
    const property = fc.asyncProperty(arbitraryExpression, async (text) => {
      fc.pre(checkExpression(text, arbitraryVariables).portable)
      await expectOneAnswer([text])
    })
    await fc.assert(property, { numRuns: 250 })
  })

  test('answers any pattern as in process', async () => {
    const property = fc.asyncProperty(arbitraryPattern, async (pattern) => {
      const text = `s.matches(${JSON.stringify(pattern)})`
      fc.pre(isPortable(text))
      await expectOneAnswer([text])
    })
    await fc.assert(property, { numRuns: 250 })
  })

  test.each(Object.entries(nestings))('runs the deepest expressions over %s', async (innermost, nest) => {
    await expectOneAnswer([nested(expressionLimits.depth, innermost, nest)])
  })

  test('runs the longest conditions', async () => {
    const conditions = Array.from({ length: 120 }, (_, n) => `(x < ${n}.5 || s == "${n}")`)
    await expectOneAnswer([conditions.join(' && ')])
  })

  test('gives what a query needs, wherever it stands', async () => {
    const checked = checkExpression('x * 2.0 > 1.0 && j != null', arbitraryVariables)
    const sql = compileToSql(checked, dialect, { column: (name) => `edges."${name}"` })
    const counted = inProcess(checked).filter((answer) => answer === true).length
    expect(await engine.answer(['count(*)'], `edges WHERE ${sql}`)).toEqual([[counted]])
    expect(await engine.answer([`sum(CASE WHEN ${sql} THEN 1 END)`], 'edges')).toEqual([[counted]])
  })

  const columnTypes: [type: string, value: string, declared: VariableType, expression: string, answer: unknown][] = [
    ['INTEGER', '7', 'int', 'v * v', 49],
    ['SMALLINT', '7', 'double', 'v / 2.0', 3.5],
    ['DECIMAL(10, 3)', '1.125', 'double', 'v * 2.0', 2.25],
    ['REAL', '0.25', 'double', 'v + 0.5', 0.75],
    ['DATE', '2013-03-01', 'timestamp', 'v - duration("1ms")', '2013-02-28T23:59:59.999Z'],
    ['TIMESTAMP', '1969-12-31 23:59:59.9995', 'timestamp', 'v', '1969-12-31T23:59:59.999Z'],
    ['TIMESTAMP', 'infinity', 'timestamp?', 'v == null', true],
    ['TIMESTAMPTZ', '2013-01-01 00:30:00+02:00', 'timestamp', 'v.getHours()', 22],
    ['UUID', '6b9c1f0e-0c5e-4c6f-9a43-2f4f1d1f5b7e', 'string', 'v.startsWith("6b9c")', true],
  ]

  test.each(columnTypes)('reads a column of type %s holding %s', async (type, value, declared, expression, answer) => {
    const sql = compileToSql(checkExpression(expression, { v: declared }), dialect, names)
    expect(await engine.answer([sql], `(SELECT CAST('${value}' AS ${type}) AS v) AS one`)).toEqual([[answer]])
  })
})

function isPortable(text: string): boolean {
  try {
    return checkExpression(text, arbitraryVariables).portable
  } catch {
    return false
  }
}

test('names columns by the path of the value and keeps quotes inside literals', () => {
  const variables = { row: { fields: { carrier: 'string' } } } as const
  const checked = checkExpression(`row.carrier == "O'Hare"`, variables)
  const sql = compileToSql(checked, 'duckdb', { column: (path) => `"${path}"` })
  expect(sql).toBe(`(CAST("row.carrier" AS VARCHAR) = CAST('O''Hare' AS VARCHAR))`)
})

test('refuses what SQL cannot say', () => {
  const checked = checkExpression('string(x) == "1"', arbitraryVariables)
  expect(() => compileToSql(checked, 'postgres', names)).toThrow(
    expect.objectContaining({ code: 'expression_not_portable' }),
  )
})
