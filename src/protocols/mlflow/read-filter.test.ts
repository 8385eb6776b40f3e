import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { meets, readFilter, readOrdering } from './read-filter.ts'

describe('filters', () => {
  it('are comparisons joined by AND', () => {
    expect(
      readFilter(
        `metrics.auc >= 0.7 and params."max depth" != '6' AND tags.\`a-b\` ILIKE "%x%" and run_id NOT IN ('a', 'b')`,
      ),
    ).toEqual([
      { entity: 'metric', key: 'auc', comparator: '>=', value: 0.7 },
      { entity: 'param', key: 'max depth', comparator: '!=', value: '6' },
      { entity: 'tag', key: 'a-b', comparator: 'ilike', value: '%x%' },
      { entity: 'attribute', key: 'run_id', comparator: 'not in', value: ['a', 'b'] },
    ])
    expect(readFilter('')).toEqual([])
    expect(readFilter(undefined)).toEqual([])
    expect(readFilter('metrics.m = -1e-3')).toEqual([{ entity: 'metric', key: 'm', comparator: '=', value: -0.001 }])
  })

  it.each([
    `metrics.a > 1 or metrics.b > 1`,
    'metrics.a >',
    'metrics.a 1',
    `and metrics.a = 1`,
    `metrics.a = 1 metrics.b = 2`,
    `secrets.a = 'x'`,
    `params.a = 'x`,
    `run_id in ('a', 'b'`,
    `run_id in 'a'`,
    `metrics.a = 1; drop table run`,
    '(',
  ])('refuse %j', (filter) => {
    expect(() => readFilter(filter)).toThrow('The filter')
  })

  it('end for any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          readFilter(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_PARAMETER_VALUE' })
        }
      }),
    )
  })

  it('give any quoted text back', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/["`]/.test(text)),
        (text) => {
          expect(readFilter(`name = "${text}"`)).toMatchObject([{ key: 'name', value: text }])
        },
      ),
    )
  })

  it('hold for what they describe', () => {
    const model = { attributes: { name: 'flight-delays' }, tags: { team: 'a' } }
    const holds = (filter: string) => meets(readFilter(filter), model)
    expect(holds(`name LIKE 'flight%' AND tags.team = 'a'`)).toBe(true)
    expect(holds(`name LIKE 'FLIGHT%'`)).toBe(false)
    expect(holds(`name ILIKE 'FLIGHT_DELAYS'`)).toBe(true)
    expect(holds(`name LIKE 'flight.delays'`)).toBe(false)
    expect(holds(`tags.other != 'a'`)).toBe(false)
    expect(holds("tags.`mlflow.prompt.is_prompt` != 'true'")).toBe(true)
    expect(holds("tags.`mlflow.prompt.is_prompt` = 'true'")).toBe(false)
  })
})

describe('orderings', () => {
  it('are a key and a direction', () => {
    expect(readOrdering('metrics.auc DESC')).toEqual({ entity: 'metric', key: 'auc', descending: true })
    expect(readOrdering('start_time')).toEqual({ entity: 'attribute', key: 'start_time', descending: false })
    expect(() => readOrdering('metrics.auc sideways')).toThrow('ASC or DESC')
  })
})
