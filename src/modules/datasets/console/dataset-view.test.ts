import { describe, expect, it } from 'vitest'
import { DatasetSpec, type DatasetVersion } from '../contract.ts'
import { columnNumbers, quarantineShare, ruleResults, valueText } from './dataset-view.ts'

const digest = `sha256:${'0'.repeat(64)}`

const spec = DatasetSpec.parse({
  source: { digest, size: 1 },
  timeColumn: 'at',
  columns: { at: { type: 'timestamp' }, id: { type: 'int', nullable: true } },
  unique: {},
  rules: [
    { name: 'positive', check: 'id > 0' },
    { name: 'small', check: 'id < 9', action: 'warn' },
  ],
})

function version(counts: Pick<DatasetVersion, 'rows' | 'quarantined' | 'warned'>): DatasetVersion {
  return {
    ref: 'd@1',
    dataset: 'd',
    version: 1,
    from: null,
    to: null,
    digest,
    quarantineDigest: digest,
    sourceDigest: digest,
    contractDigest: digest,
    firstTime: null,
    lastTime: null,
    timeColumn: 'at',
    columns: [],
    derived: {},
    profile: [],
    registeredAt: '2026-01-01T00:00:00.000Z',
    ...counts,
  }
}

describe('what each rule found', () => {
  it('counts later rules over the rows that earlier ones left', () => {
    const results = ruleResults(
      spec,
      version({ rows: 90, quarantined: { 'not-null:at': 4, unique: 1, positive: 5 }, warned: { small: 7 } }),
    )
    expect(results.map(({ rule, checked, failed }) => [rule, checked, failed])).toEqual([
      ['not-null:at', 100, 4],
      ['unique', 96, 1],
      ['positive', 95, 5],
      ['small', 90, 7],
    ])
  })

  it('keeps the count of a rule that the contract has no more', () => {
    const results = ruleResults(spec, version({ rows: 1, quarantined: { former: 2 }, warned: {} }))
    expect(results.at(-1)).toMatchObject({ rule: 'former', failed: 2, description: 'No longer in the contract' })
  })
})

it('takes the quarantined share of all rows read', () => {
  expect(quarantineShare({ rows: 75, quarantined: { a: 20, b: 5 } })).toBe(0.25)
  expect(quarantineShare({ rows: 0, quarantined: {} })).toBe(0)
})

it('says the numbers of a column in its own terms', () => {
  const column = {
    name: 'late',
    nulls: 1,
    distinct: 2,
    std: 0.4,
    min: null,
    max: null,
    quartiles: null,
    histogram: null,
    top: null,
  }
  expect(columnNumbers({ ...column, type: 'bool', mean: 0.25 }, 4)).toEqual(['25 % true', '25 % null'])
  expect(columnNumbers({ ...column, type: 'int', mean: 1234.567, std: null, nulls: 0, min: -1, max: 9e15 }, 4)).toEqual(
    ['mean 1,235', '-1 to 9,000,000,000,000,000', 'no nulls'],
  )
})

it('shows any value as text', () => {
  expect([null, '<b>', 0, Number.NaN, true, { a: [1] }].map(valueText)).toEqual([
    'null',
    '<b>',
    '0',
    'NaN',
    'true',
    '{"a":[1]}',
  ])
})
