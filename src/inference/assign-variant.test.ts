import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bucketOf, buckets, routeOf } from './assign-variant.ts'

const split = (canary: number) => [
  { variant: 'primary', weight: buckets - canary },
  { variant: 'canary', weight: canary },
]
const variantOf = (key: string, canary: number) => routeOf(split(canary), bucketOf('salt', key))?.variant

test('the bucket is what the documentation says, so that others can compute it', () => {
  const digest = createHash('sha256').update('salt\0customer-7').digest()
  expect(bucketOf('salt', 'customer-7')).toBe(digest.readUIntBE(0, 6) % 10_000)
})

test('whoever is in the canary stays in it while its weight grows', () => {
  const weight = fc.integer({ min: 0, max: buckets })
  fc.assert(
    fc.property(fc.string(), weight, weight, (key, a, b) => {
      const [small, large] = [Math.min(a, b), Math.max(a, b)]
      if (variantOf(key, small) === 'canary') expect(variantOf(key, large)).toBe('canary')
      expect(variantOf(key, a)).toBe(bucketOf('salt', key) < a ? 'canary' : 'primary')
    }),
  )
})

test.each([100, 1000, 5000])('a weight of %d basis points gets its share', (weight) => {
  const keys = 20_000
  let canary = 0
  for (let i = 0; i < keys; i++) if (variantOf(`key-${i}`, weight) === 'canary') canary++
  const share = weight / buckets
  const deviation = Math.sqrt((share * (1 - share)) / keys)
  expect(Math.abs(canary / keys - share)).toBeLessThan(4 * deviation)
})

test('another salt is another assignment', () => {
  const same = Array.from({ length: 1000 }, (_, i) => `key-${i}`).filter(
    (key) => bucketOf('a', key) < 5000 === bucketOf('b', key) < 5000,
  )
  expect(same.length).toBeGreaterThan(400)
  expect(same.length).toBeLessThan(600)
})
