import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jensenShannonDistance } from './jensen-shannon.ts'
import { kolmogorovSmirnov, kolmogorovSmirnovOfCounts } from './kolmogorov-smirnov.ts'
import { populationStabilityIndex } from './population-stability-index.ts'
import { normalizedWasserstein } from './wasserstein.ts'

const counts = fc.array(fc.nat(50), { minLength: 1, maxLength: 12 })
/** Whole numbers, so that ties are frequent, with what does not count as a value in between. */
const column = fc.array(
  fc.oneof({ weight: 9, arbitrary: fc.integer({ min: -8, max: 8 }) }, fc.constantFrom(null, Number.NaN)),
  {
    minLength: 1,
    maxLength: 40,
  },
)
const present = (values: readonly (number | null)[]) =>
  values.filter((value): value is number => value !== null && !Number.isNaN(value))

describe('population stability index', () => {
  it('is the sum over the shares', () => {
    expect(populationStabilityIndex([50, 50], [60, 40])).toBeCloseTo(0.1 * Math.log(1.2) - 0.1 * Math.log(0.8), 12)
    expect(populationStabilityIndex([5, 5], [600, 600])).toBe(0)
  })

  it('gives an empty bin half a row of its side and passes over bins empty on both', () => {
    const filled = (0.5 - 0.05) * Math.log(0.5 / 0.05) + (0.5 - 1) * Math.log(0.5)
    expect(populationStabilityIndex([0, 10, 0], [50, 50, 0])).toBeCloseTo(filled, 12)
  })

  it('is undefined without rows', () => {
    expect(populationStabilityIndex([0, 0], [1, 2])).toBeNull()
    expect(populationStabilityIndex([1, 2], [])).toBeNull()
  })
})

describe('Jensen-Shannon distance', () => {
  it('agrees with scipy.spatial.distance.jensenshannon in base 2', () => {
    expect(jensenShannonDistance([1, 0], [1, 1])).toBeCloseTo(0.46450140402245893 / Math.sqrt(Math.LN2), 12)
    expect(jensenShannonDistance([3, 0, 0], [0, 7, 0])).toBe(1)
    expect(jensenShannonDistance([], [1])).toBeNull()
  })

  it('is symmetric, within [0, 1], and 0 for equal shares', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const distance = jensenShannonDistance(a, b)
        expect(distance ?? 0).toBeGreaterThanOrEqual(0)
        expect(distance ?? 0).toBeLessThanOrEqual(1 + 1e-12)
        expect(distance ?? 0).toBeCloseTo(jensenShannonDistance(b, a) ?? 0, 12)
        expect(
          jensenShannonDistance(
            a,
            a.map((count) => 3 * count),
          ) ?? 0,
        ).toBeCloseTo(0, 7)
      }),
    )
  })
})

describe('Kolmogorov-Smirnov', () => {
  it('is the largest distance of the distribution functions, ties and missing values included', () => {
    fc.assert(
      fc.property(column, column, (reference, current) => {
        const a = present(reference)
        const b = present(current)
        const below = (values: number[], x: number) => values.filter((value) => value <= x).length / values.length
        const naive = Math.max(...[...a, ...b].map((x) => Math.abs(below(a, x) - below(b, x))))
        const actual = kolmogorovSmirnov(reference, current)
        if (a.length === 0 || b.length === 0) expect(actual).toBeNull()
        else expect(actual).toBeCloseTo(naive, 12)
      }),
    )
  })

  it('over counts compares the cumulated shares', () => {
    expect(kolmogorovSmirnovOfCounts([5, 5, 0], [10, 0, 10])).toBeCloseTo(0.5, 12)
    expect(kolmogorovSmirnovOfCounts([0], [1])).toBeNull()
  })
})

describe('normalised Wasserstein distance', () => {
  it('agrees with scipy.stats.wasserstein_distance over the reference deviation', () => {
    expect(normalizedWasserstein([0, 1, 3], [5, 6, 8])).toBeCloseTo(5 / Math.sqrt(14 / 9), 12)
  })

  it('is the area between the distribution functions', () => {
    fc.assert(
      fc.property(column, column, (reference, current) => {
        const a = present(reference)
        const b = present(current)
        const actual = normalizedWasserstein(reference, current)
        if (b.length === 0 || new Set(a).size < 2) {
          expect(actual).toBeNull()
          return
        }
        const below = (values: number[], x: number) => values.filter((value) => value <= x).length / values.length
        let area = 0
        for (let x = -8; x < 8; x++) area += Math.abs(below(a, x) - below(b, x))
        const mean = a.reduce((sum, x) => sum + x, 0) / a.length
        const std = Math.sqrt(a.reduce((sum, x) => sum + (x - mean) ** 2, 0) / a.length)
        expect(actual).toBeCloseTo(area / std, 9)
      }),
    )
  })
})
