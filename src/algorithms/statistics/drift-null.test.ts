import fc from 'fast-check'
import { expect, it } from 'vitest'
import { adjustForFalseDiscovery } from './benjamini-hochberg.ts'
import { chiSquareCritical, chiSquareSurvival } from './chi-square.ts'
import {
  fewestRows,
  kolmogorovSmirnovPValue,
  populationStabilityPValue,
  populationStabilityThreshold,
} from './drift-null.ts'
import { countBins, quantileEdges } from './histogram.ts'
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts'
import { populationStabilityIndex } from './population-stability-index.ts'

/** A seeded generator of uniform numbers (mulberry32), so that the simulations always give the same counts. */
function uniform(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

it('has the tables of the chi-square distribution', () => {
  expect(chiSquareSurvival(3.841458820694124, 1)).toBeCloseTo(0.05, 12)
  expect(chiSquareSurvival(16.918977604620448, 9)).toBeCloseTo(0.05, 12)
  expect(chiSquareSurvival(21.665994333461924, 9)).toBeCloseTo(0.01, 12)
  expect(chiSquareSurvival(0, 3)).toBe(1)
  expect(chiSquareCritical(0.05, 9)).toBeCloseTo(16.918977604620448, 9)
})

it('is a Poisson sum for even degrees of freedom', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.double({ min: 1e-3, max: 300, noNaN: true }), (half, x) => {
      let term = Math.exp(-x / 2)
      let sum = 0
      for (let i = 1; i <= half; i++) {
        sum += term
        term *= x / 2 / i
      }
      expect(chiSquareSurvival(x, 2 * half)).toBeCloseTo(sum, 11)
    }),
  )
})

it('has threshold and p-value invert each other', () => {
  const size = { reference: 2000, current: 300, bins: 10 }
  expect(populationStabilityPValue(populationStabilityThreshold(0.01, size), size)).toBeCloseTo(0.01, 9)
})

it.each([
  [2000, 100],
  [2000, 500],
  [500, 500],
])('alarms at about the rate it is asked for without drift: %i reference, %i current rows', (n, m) => {
  const random = uniform(n + m)
  const draw = (rows: number) => Array.from({ length: rows }, random)
  const runs = 1000
  let alarms = 0
  let fixedAlarms = 0
  for (let run = 0; run < runs; run++) {
    const reference = draw(n)
    const edges = quantileEdges(reference)
    const size = { reference: n, current: m, bins: edges.length + 1 }
    const index =
      populationStabilityIndex(countBins(reference, edges).counts, countBins(draw(m), edges).counts) ?? Number.NaN
    if (populationStabilityPValue(index, size) < 0.05) alarms += 1
    if (index >= 0.1) fixedAlarms += 1
  }
  expect(fewestRows(10)).toBeLessThanOrEqual(m)
  expect(alarms / runs).toBeLessThan(0.09)
  expect(alarms / runs).toBeGreaterThan(0.02)
  // The usual rule of 0.1 is what this replaces: it depends on the number of rows alone.
  if (m === 100) expect(fixedAlarms / runs).toBeGreaterThan(0.3)
})

it('gives the Kolmogorov-Smirnov distance its chance without drift', () => {
  // scipy.stats.kstwo.sf(0.0006, 5e6)
  expect(kolmogorovSmirnovPValue(0.0006, 1e7, 1e7)).toBeCloseTo(0.054624470299394656, 5)
  expect(kolmogorovSmirnovPValue(0, 100, 100)).toBe(1)
  expect(kolmogorovSmirnovPValue(1, 100, 100)).toBeLessThan(1e-30)

  const random = uniform(7)
  const draw = (rows: number) => Array.from({ length: rows }, random)
  let alarms = 0
  for (let run = 0; run < 1000; run++) {
    if (kolmogorovSmirnovPValue(kolmogorovSmirnov(draw(300), draw(200)) ?? 1, 300, 200) < 0.05) alarms += 1
  }
  expect(alarms / 1000).toBeLessThan(0.07)
  expect(alarms / 1000).toBeGreaterThan(0.03)
})

it('adjusts for false discoveries as GrowthBook’s own case says', () => {
  const adjusted = adjustForFalseDiscovery([0.898, 0.138, 0.007, 0.964, 0.538, 0.006, 0.138])
  const expected = [0.964, 0.2415, 0.0245, 0.964, 0.7532, 0.0245, 0.2415]
  for (const [i, value] of expected.entries()) expect(adjusted[i]).toBeCloseTo(value, 9)
  expect(adjustForFalseDiscovery([])).toEqual([])
})
