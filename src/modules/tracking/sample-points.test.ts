import fc from 'fast-check'
import { expect, it } from 'vitest'
import { columnsOf, pointAt } from './metric-columns.ts'
import { type Axis, samplePoints } from './sample-points.ts'

const point = fc.record({
  step: fc.oneof(fc.integer({ min: -50, max: 50 }), fc.maxSafeInteger()),
  timestamp: fc.integer({ min: 0, max: 500 }),
  value: fc.oneof(fc.double(), fc.integer({ min: -9, max: 9 }), fc.constantFrom(Number.NaN, Infinity, -Infinity)),
})

it('a sample has the peaks, the gaps and the ends of every bucket, and no more points than asked for', () => {
  fc.assert(
    fc.property(
      fc.array(point, { maxLength: 200 }),
      fc.integer({ min: 5, max: 60 }),
      fc.constantFrom<Axis>('step', 'time'),
      (points, most, axis) => {
        const columns = columnsOf(points)
        const all = Array.from(columns.steps, (_, at) => pointAt(columns, at))
        const along = (one: (typeof all)[number]) => (axis === 'step' ? one.step : one.timestamp)
        if (axis === 'time') all.sort((a, b) => a.timestamp - b.timestamp)
        const sample = samplePoints(columns, most, axis).map((at) => pointAt(columns, at))
        if (all.length <= most) {
          expect(sample).toEqual(all)
          return
        }
        expect(sample.length).toBeLessThanOrEqual(most)
        const places = sample.map((one) =>
          all.findIndex((other) => JSON.stringify(other) === JSON.stringify(one) && Object.is(other.value, one.value)),
        )
        expect(places).toEqual([...new Set(places)].sort((a, b) => a - b))
        const buckets = Math.floor(most / 5)
        const [first, last] = [along(all[0] ?? point0), along(all.at(-1) ?? point0)]
        const bucketOf = (one: typeof point0) =>
          last === first ? 0 : Math.min(buckets - 1, Math.floor(((along(one) - first) / (last - first)) * buckets))
        const kept = Map.groupBy(sample, bucketOf)
        for (const [bucket, inside] of Map.groupBy(all, bucketOf)) {
          const shown = kept.get(bucket) ?? []
          const numbers = (list: typeof all) => list.map(({ value }) => value).filter(Number.isFinite)
          expect(Math.min(...numbers(shown))).toBe(Math.min(...numbers(inside)))
          expect(Math.max(...numbers(shown))).toBe(Math.max(...numbers(inside)))
          expect(shown.some(({ value }) => !Number.isFinite(value))).toBe(
            inside.some(({ value }) => !Number.isFinite(value)),
          )
          expect(shown[0]).toEqual(inside[0])
          expect(shown.at(-1)).toEqual(inside.at(-1))
        }
      },
    ),
  )
})

const point0 = { step: 0, timestamp: 0, value: 0 }
