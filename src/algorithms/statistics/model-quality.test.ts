import fc from 'fast-check'
import { expect, it } from 'vitest'
import { brierScore, expectedCalibrationError, logLoss, reliability } from './calibration.ts'
import { rocAuc } from './roc-auc.ts'

const scored = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.constantFrom(0, 1)), { maxLength: 40 })

it('counts the pairs that the score orders rightly, a tie as half', () => {
  fc.assert(
    fc.property(scored, (rows) => {
      const positives = rows.filter(([, label]) => label === 1)
      const negatives = rows.filter(([, label]) => label === 0)
      const pairs = positives.flatMap(([p]) => negatives.map(([n]): number => (p > n ? 1 : p === n ? 0.5 : 0)))
      const actual = rocAuc(
        rows.map(([score]) => score),
        rows.map(([, label]) => label),
      )
      if (pairs.length === 0) expect(actual).toBeNull()
      else expect(actual).toBeCloseTo(pairs.reduce((sum, pair) => sum + pair, 0) / pairs.length, 12)
    }),
  )
  expect(rocAuc([0.1, 0.9], [false, true])).toBe(1)
  expect(rocAuc([0.1, Number.NaN], [0, 1])).toBeNull()
})

it('scores probabilities', () => {
  expect(brierScore([0.9, 0.2], [1, 0])).toBeCloseTo((0.01 + 0.04) / 2, 12)
  expect(logLoss([0.9, 0.2], [1, 0])).toBeCloseTo(-(Math.log(0.9) + Math.log(0.8)) / 2, 12)
  expect(logLoss([0], [1])).toBeCloseTo(-Math.log(1e-15), 9)
  expect(brierScore([], [])).toBeNull()
})

it('bins probabilities by equal count and keeps ties together', () => {
  const probabilities = [0.1, 0.2, 0.2, 0.2, 0.8, 0.9]
  const labels = [0, 0, 1, 0, 1, 1]
  expect(reliability(probabilities, labels, 3).map(({ count }) => count)).toEqual([4, 1, 1])
  expect(expectedCalibrationError(probabilities, labels, 2)).toBeCloseTo((4 * (0.25 - 0.175) + 2 * (1 - 0.85)) / 6, 12)
  expect(expectedCalibrationError([], [])).toBeNull()
})

it('does not depend on the order of the rows', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(0, 0.25, 0.5, 1), fc.constantFrom(0, 1))), (rows) => {
      const error = (list: typeof rows) =>
        expectedCalibrationError(
          list.map(([p]) => p),
          list.map(([, y]) => y),
          4,
        )
      expect(error(rows.toReversed()) ?? -1).toBeCloseTo(error(rows) ?? -1, 12)
      expect(
        reliability(
          rows.map(([p]) => p),
          rows.map(([, y]) => y),
          4,
        ).reduce((sum, { count }) => sum + count, 0),
      ).toBe(rows.length)
    }),
  )
})
