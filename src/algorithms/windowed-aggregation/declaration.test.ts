import { expect, it } from 'vitest'
import { aggregationLimits, checkAggregations, type TileAggregation } from './declaration.ts'
import { planAggregations } from './plan.ts'

const good: TileAggregation = {
  name: 'delay_mean_1h',
  function: 'mean',
  column: 'delay',
  window: 3_600_000,
  hop: 300_000,
}

it('accepts a sound declaration, and a count without a column', () => {
  expect(checkAggregations([good, { name: 'flights', function: 'count', window: 60_000, hop: 60_000 }])).toEqual([])
})

it.each([
  ['/0/window', { ...good, window: 3_600_001 }],
  ['/0/window', { ...good, window: 0 }],
  ['/0/window', { ...good, window: good.hop * (aggregationLimits.tilesPerWindow + 1) }],
  ['/0/hop', { ...good, hop: 0 }],
  ['/0/hop', { ...good, hop: 1.5 }],
  ['/0/column', { ...good, column: undefined }],
  ['/0/column', { ...good, column: '' }],
  ['/0/name', { ...good, name: '' }],
])('reports %s', (pointer, declaration) => {
  expect(checkAggregations([declaration]).map((problem) => problem.pointer)).toEqual([pointer])
  expect(() => planAggregations([declaration])).toThrow(pointer)
})

it('reports a repeated name and too many aggregations', () => {
  expect(checkAggregations([good, good])).toEqual([
    { pointer: '/1/name', message: 'The name delay_mean_1h is used twice' },
  ])
  const many = Array.from({ length: aggregationLimits.aggregations + 1 }, (_, i) => ({ ...good, name: `f${i}` }))
  expect(checkAggregations(many).map(({ pointer }) => pointer)).toEqual([''])
  const hops = Array.from({ length: aggregationLimits.hops + 1 }, (_, i) => ({
    ...good,
    name: `f${i}`,
    hop: i + 1,
    window: i + 1,
  }))
  expect(checkAggregations(hops).map(({ message }) => message)).toEqual(['A view has at most 8 distinct hops'])
})
