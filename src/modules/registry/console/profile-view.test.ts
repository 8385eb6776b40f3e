import fc from 'fast-check'
import { expect, test } from 'vitest'
import { densityOf, describeProfile, nullShare } from './profile-view.ts'

const profile = {
  name: 'distance',
  count: 100,
  nulls: 10,
  mean: 5,
  std: 2.5,
  min: 0,
  max: 10,
  edges: [2, 4],
  counts: [20, 20, 50],
}

test('a histogram is drawn as densities, up to its end', () => {
  expect(densityOf(profile)).toEqual([
    [0, expect.closeTo(20 / 90 / 2)],
    [2, expect.closeTo(20 / 90 / 2)],
    [4, expect.closeTo(50 / 90 / 6)],
    [10, expect.closeTo(50 / 90 / 6)],
  ])
  expect(nullShare(profile)).toBe(0.1)
  expect(describeProfile(profile)).toBe('distance: mean 5, standard deviation 2.5, from 0 to 10')
})

test('what cannot be drawn is not', () => {
  expect(densityOf({ ...profile, counts: [0, 0, 0] })).toEqual([])
  expect(densityOf({ ...profile, edges: [], counts: [90], min: null, max: null })).toEqual([])
  expect(densityOf({ ...profile, edges: [], counts: [90], min: 3, max: 3 })).toEqual([])
  expect(nullShare({ ...profile, count: 0, nulls: 0 })).toBe(0)
})

test('the area of a histogram without heaps on one value is one', () => {
  const histograms = fc
    .uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 3, maxLength: 20 })
    .map((values) => values.sort((a, b) => a - b))
    .chain((bounds) =>
      fc.tuple(
        fc.constant(bounds),
        fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: bounds.length - 1, maxLength: bounds.length - 1 }),
      ),
    )
  fc.assert(
    fc.property(histograms, ([bounds, counts]) => {
      const steps = densityOf({
        ...profile,
        min: bounds[0] ?? 0,
        max: bounds.at(-1) ?? 0,
        edges: bounds.slice(1, -1),
        counts,
      })
      const area = steps.slice(1).reduce((sum, [to], i) => sum + (steps[i]?.[1] ?? 0) * (to - (steps[i]?.[0] ?? 0)), 0)
      expect(area).toBeCloseTo(1, 6)
    }),
  )
})
