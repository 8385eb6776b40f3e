import { expect, test } from 'vitest'
import { seededRandom } from './boosted-trees.ts'
import { binOf, profileFeatures } from './profile-features.ts'

function profileOf(values: number[]) {
  const table = { featureNames: ['value'], rows: values.length, values: Float32Array.from(values) }
  const [profile] = profileFeatures({ ...table, labels: new Uint8Array(values.length) })
  if (profile === undefined) throw new Error('no profile')
  return profile
}

test('ten bins of about equal counts over the values that are present', () => {
  const random = seededRandom(1)
  const values = Array.from({ length: 10_000 }, (_, row) => (row % 10 === 0 ? Number.NaN : random()))
  const profile = profileOf(values)
  expect(profile).toMatchObject({ name: 'value', count: 10_000, nulls: 1000 })
  expect(profile.mean).toBeCloseTo(0.5, 2)
  expect(profile.std).toBeCloseTo(Math.sqrt(1 / 12), 2)
  expect(profile.edges).toHaveLength(9)
  for (const count of profile.counts) expect(Math.abs(count - 900)).toBeLessThan(3)
})

test('no bin is empty when few values are frequent', () => {
  const profile = profileOf([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
  expect(profile.edges).toEqual([0.5, 1.5])
  expect(profile.counts).toEqual([6, 3, 1])
})

test('a value has the same bin as a 32-bit and as a 64-bit float', () => {
  const shares = Array.from({ length: 400 }, (_, row) => (row % 20) / 19)
  const { edges } = profileOf(shares)
  for (const share of shares) expect(binOf(edges, share)).toBe(binOf(edges, Math.fround(share)))
})

test('a feature that is always missing has an empty profile', () => {
  expect(profileOf([Number.NaN])).toMatchObject({ nulls: 1, mean: null, min: null, edges: [], counts: [0] })
})
