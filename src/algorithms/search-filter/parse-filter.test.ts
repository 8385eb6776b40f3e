import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aLabel, aNumber, aText, type Expression, type Vocabulary } from './expression.ts'
import { meetsFilter } from './meets-filter.fixture.ts'
import { FilterError, parseFilter, parseOrdering } from './parse-filter.ts'

type Entity = 'metric' | 'param' | 'tag' | 'attribute'

const vocabulary: Vocabulary<Entity> = {
  bare: 'attribute',
  entities: {
    metric: { written: ['metrics', 'metric'], ...aNumber },
    param: { written: ['params', 'param'], ...aLabel },
    tag: { written: ['tags', 'tag'], ...aLabel },
    attribute: {
      written: ['attributes', 'attr'],
      ...aText,
      keys: {
        status: aText,
        run_id: { ...aText, as: 'run' },
        'Run name': { ...aText, as: 'name' },
        name: aText,
        start_time: { ...aNumber, values: 'time' },
      },
    },
  },
}
const parse = (filter: string) => parseFilter(filter, vocabulary)
const withoutColumns = (expression: unknown) =>
  JSON.parse(JSON.stringify(expression, (name, value) => (name === 'column' ? undefined : value)))

describe('a filter', () => {
  it('is comparisons with keys of every spelling', () => {
    const text = `metrics.auc >= .7 AND params."max ""depth""" != 'it''s' and tags.\`a-b\` ilike "%x%"
      and run_id NOT IN ('a', "b",) and \`metrics\`.\`x y\` < -1e-3 and "Run name" = 'r' and tags.a.b/c is not null`
    expect(withoutColumns(parse(text))).toEqual({
      kind: 'and',
      terms: [
        { kind: 'comparison', entity: 'metric', key: 'auc', comparator: '>=', value: 0.7 },
        { kind: 'comparison', entity: 'param', key: 'max "depth"', comparator: '!=', value: "it's" },
        { kind: 'comparison', entity: 'tag', key: 'a-b', comparator: 'ilike', value: '%x%' },
        { kind: 'comparison', entity: 'attribute', key: 'run', comparator: 'not in', value: ['a', 'b'] },
        { kind: 'comparison', entity: 'metric', key: 'x y', comparator: '<', value: -0.001 },
        { kind: 'comparison', entity: 'attribute', key: 'name', comparator: '=', value: 'r' },
        { kind: 'comparison', entity: 'tag', key: 'a.b/c', comparator: 'is not null', value: null },
      ],
    })
    expect(parse('')).toBeUndefined()
    expect(parse(' \n')).toBeUndefined()
  })

  it('binds NOT closest, then AND, then OR', () => {
    const shape = (expression: Expression<Entity>): string =>
      expression.kind === 'comparison'
        ? expression.key
        : expression.kind === 'not'
          ? `!${shape(expression.term)}`
          : `(${expression.terms.map(shape).join(expression.kind === 'and' ? '&' : '|')})`
    const of = (letters: string) => {
      const expression = parse(letters.replaceAll(/\b[a-e]\b/g, 'metrics.$& > 0'))
      return expression && shape(expression)
    }
    expect(of('a or b and not c or d')).toBe('(a|(b&!c)|d)')
    expect(of('(a or b) and (not (c or d))')).toBe('((a|b)&!(c|d))')
    expect(of('not not a')).toBe('!!a')
  })

  it.each([
    ['metrics.a >', 12, 'expected a number, found the end'],
    ["metrics.a > 'x'", 13, "expected a number, found 'x'"],
    ['metrics.a like 1', 11, 'expected one of =, !=, <, <=, >, >=, found like'],
    ['metrics.a is null', 11, 'found is'],
    ['params.a = 1', 12, 'expected a text in quotes, found 1'],
    ['params.a = x', 12, 'found x'],
    ["params.a = 'x", 12, "the ' that begins here is not closed"],
    ['metrics.a 1', 11, 'expected one of'],
    ['metrics.a == 1', 11, 'found =='],
    ['metrics.a = 1 metrics.b = 2', 15, 'expected AND, OR or the end, found metrics.b'],
    ['metrics.a = 1 and', 18, 'expected a key, found the end'],
    ['(metrics.a = 1', 15, 'expected AND, OR or ), found the end'],
    ['metrics.a = 1)', 14, 'found )'],
    ["secrets.a = 'x'", 1, 'there is no secrets, only metrics, params, tags, attributes'],
    ["colour = 'red'", 1, "Invalid attribute key 'colour'"],
    ["constructor = 'red'", 1, "Invalid attribute key 'constructor'"],
    ["tags. = 'x'", 1, 'needs a key'],
    ["run_id in 'a'", 11, 'expected ( and a list'],
    ['run_id in ()', 12, 'expected a text in quotes, found )'],
    ["run_id in ('a', 1)", 17, 'found 1'],
    ["run_id in ('a'", 15, 'expected , or ), found the end'],
    ['tags.a is nothing', 11, 'expected NULL'],
    ['metrics.a = 1; drop table run', 14, 'nothing that a filter has'],
    ['1 < metrics.a', 1, 'expected a key, found 1'],
    ['metrics.a = 1.2.3', 13, 'nothing that a filter has'],
    [`${'('.repeat(40)}metrics.a = 1`, 33, 'nested deeper than 32'],
    ['not '.repeat(40), 129, 'nested deeper than 32'],
    [Array.from({ length: 101 }, () => 'metrics.a=1').join(' and '), 1601, 'more than 100 comparisons'],
    [`name in (${"'a',".repeat(1001)})`, 4010, 'at most 1000'],
    ["name = 'a\0b'", 10, 'the character 0'],
    [' '.repeat(50_001), 50_001, '50000 are the most'],
  ])('that is wrong is told where: %.40s', (filter, column, message) => {
    expect(() => parse(filter)).toThrow(message)
    try {
      parse(filter)
    } catch (error) {
      expect(error).toMatchObject({ column })
    }
  })

  it('ends for any text, and for long ones soon', () => {
    const words = fc.constantFrom('metrics.a', '=', "'", '"', '`', '(', ')', 'not', 'or', '1', '-', '.', ' ', 'x')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words).map((list) => list.join('')),
        ),
        (text) => {
          try {
            parse(text)
          } catch (error) {
            expect(error).toBeInstanceOf(FilterError)
          }
        },
      ),
    )
    for (const piece of ['(', 'not ', "'", "''", '-', '1', '1.', 'a-', 'metrics.', '"" ', '`']) {
      expect(() => parse(piece.repeat(49_999 / piece.length))).toThrow(FilterError)
    }
  }, 5000)

  it('means what was written', () => {
    const text = fc.string({ unit: 'binary', maxLength: 6 }).map((one) => one.replaceAll('\0', ''))
    const key = text.map((one) => `k${one}`)
    const quoted = (content: string, quote: string) => `${quote}${content.replaceAll(quote, quote + quote)}${quote}`
    const leaf = fc.oneof(
      fc.record({
        entity: fc.constant('metric' as const),
        key,
        comparator: fc.constantFrom(...aNumber.comparators),
        value: fc.double({ noNaN: true, noDefaultInfinity: true }),
      }),
      fc.record({
        entity: fc.constantFrom('param' as const, 'tag' as const),
        key,
        comparator: fc.constantFrom('=' as const, 'like' as const),
        value: text,
      }),
      fc.record({
        entity: fc.constant('tag' as const),
        key,
        comparator: fc.constant('in' as const),
        value: fc.array(text, { minLength: 1, maxLength: 3 }),
      }),
    )
    interface Printed {
      text: string
      meaning: unknown
    }
    const printed: fc.Arbitrary<Printed> = leaf.map((one) => {
      const value = Array.isArray(one.value)
        ? `(${one.value.map((each) => quoted(each, "'")).join(', ')})`
        : typeof one.value === 'number'
          ? String(one.value)
          : quoted(one.value, '"')
      return {
        text: `${one.entity}.${quoted(one.key, '`')} ${one.comparator} ${value}`,
        meaning: { kind: 'comparison', ...one, value: typeof one.value === 'number' ? one.value + 0 : one.value },
      }
    })
    const { tree } = fc.letrec<{ tree: Printed }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        printed,
        tie('tree').map(({ text, meaning }) => ({
          text: `NOT (${text})`,
          meaning: { kind: 'not', term: meaning },
        })),
        fc
          .tuple(fc.constantFrom('and', 'or'), fc.array(tie('tree'), { minLength: 2, maxLength: 3 }))
          .map(([kind, terms]) => ({
            text: terms.map((term) => `(${term.text})`).join(` ${kind} `),
            meaning: { kind, terms: terms.map((term) => term.meaning) },
          })),
      ),
    }))
    fc.assert(
      fc.property(tree, ({ text, meaning }) => {
        expect(withoutColumns(parse(text))).toEqual(JSON.parse(JSON.stringify(meaning)))
      }),
      { numRuns: 60 },
    )
  })
})

it('an ordering is a key and a direction', () => {
  const order = (text: string) => parseOrdering(text, vocabulary)
  expect(order('metrics."a b" DESC')).toEqual({ entity: 'metric', key: 'a b', descending: true })
  expect(order('start_time')).toEqual({ entity: 'attribute', key: 'start_time', descending: false })
  expect(order('`Run name` asc')).toEqual({ entity: 'attribute', key: 'name', descending: false })
  expect(() => order('metrics.auc sideways')).toThrow('At column 13: expected ASC, DESC or the end, found sideways')
})

it('a filter holds for what it describes', () => {
  const things: Record<string, string | number> = { 'tag team': 'a', 'attribute name': 'Flight-delays', 'metric m': 2 }
  const holds = (filter: string) => meetsFilter(parse(filter), (entity, key) => things[`${entity} ${key}`])
  for (const filter of [
    "name LIKE 'Flight%' AND tags.team = 'a'",
    "name ILIKE 'FLIGHT_DELAYS'",
    "not tags.other = 'a' and tags.other is null",
    "metrics.m >= 2 and (metrics.m < 2 or tags.team in ('a'))",
    '',
  ]) {
    expect(holds(filter), filter).toBe(true)
  }
  for (const filter of ["name LIKE 'flight%'", "tags.other != 'a'", "tags.team not in ('a')", 'metrics.m != 2']) {
    expect(holds(filter), filter).toBe(false)
  }
})
