import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  emptyLatencyHistogram,
  type LatencyHistogram,
  latencyBounds,
  latencyQuantile,
  mergeLatencies,
  recordLatency,
} from './latency-histogram.ts'

function histogramOf(durations: readonly number[]): LatencyHistogram {
  const histogram = emptyLatencyHistogram()
  for (const duration of durations) recordLatency(histogram, duration)
  return histogram
}

it('estimates any quantile within 4.5 %', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.011, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 100 }),
      fc.double({ min: 0.001, max: 1, noNaN: true }),
      (durations, q) => {
        const exact = durations.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(q * durations.length)) - 1] ?? 0
        const estimate = latencyQuantile(histogramOf(durations), q) ?? 0
        expect(Math.abs(estimate / exact - 1)).toBeLessThan(0.045)
      },
    ),
  )
})

it('holds durations outside its range in the outer buckets', () => {
  const histogram = histogramOf([0, 0.001, 3_600_000])
  expect(histogram.counts[0]).toBe(2)
  expect(histogram.counts.at(-1)).toBe(1)
  expect(latencyQuantile(histogram, 1)).toBe(3_600_000)
  expect(latencyQuantile(emptyLatencyHistogram(), 0.5)).toBeNull()
})

it('puts a duration equal to a bound below it, and has buckets for up to two minutes', () => {
  const histogram = histogramOf([latencyBounds[0] ?? 0])
  expect(histogram.counts[0]).toBe(1)
  expect(histogram.counts.length).toBe(latencyBounds.length + 1)
  expect(latencyBounds.at(-1)).toBeGreaterThan(110_000)
})

it('merges into the histogram of both', () => {
  const [a, b] = [
    [1, 5, 9],
    [0.2, 700],
  ]
  expect(mergeLatencies(histogramOf(a), histogramOf(b))).toEqual(histogramOf([...a, ...b]))
})
