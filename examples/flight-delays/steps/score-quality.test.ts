import { expect, test } from 'vitest'
import { seededRandom } from './boosted-trees.ts'
import { areaUnderCurve, brierScore, calibrationError, logLoss } from './score-quality.ts'

/** Every positive row against every negative one. */
function aucByPairs(scores: number[], labels: number[]): number {
  let wins = 0
  let pairs = 0
  for (const [i, positive] of scores.entries()) {
    for (const [j, negative] of scores.entries()) {
      if (labels[i] !== 1 || labels[j] !== 0) continue
      pairs++
      wins += positive > negative ? 1 : positive === negative ? 0.5 : 0
    }
  }
  return wins / pairs
}

function draw(rows: number, random: () => number) {
  const scores = Array.from({ length: rows }, () => Math.floor(random() * 20) / 20)
  const labels = scores.map((score) => (random() < 0.2 + score / 2 ? 1 : 0))
  return { scores, labels }
}

test('the area under the curve is that of all pairs, ties included', () => {
  const random = seededRandom(1)
  for (let round = 0; round < 50; round++) {
    const { scores, labels } = draw(60, random)
    expect(areaUnderCurve(scores, labels).auc).toBeCloseTo(aucByPairs(scores, labels), 12)
  }
})

test('its interval covers the true value about 95 times in 100', () => {
  const random = seededRandom(2)
  const { scores, labels } = draw(100_000, random)
  const truth = areaUnderCurve(scores, labels).auc
  let covered = 0
  for (let round = 0; round < 400; round++) {
    const sample = draw(300, random)
    const [low, high] = areaUnderCurve(sample.scores, sample.labels).interval
    if (low <= truth && truth <= high) covered++
  }
  expect(covered / 400).toBeGreaterThan(0.92)
  expect(covered / 400).toBeLessThan(0.98)
})

test('one label alone has no area under the curve', () => {
  expect(areaUnderCurve([0.1, 0.2], [1, 1]).auc).toBeNaN()
})

test('losses and calibration of a small example, worked by hand', () => {
  const probabilities = [0.25, 0.25, 0.75, 0.75]
  const labels = [0, 1, 1, 1]
  expect(logLoss(probabilities, labels)).toBeCloseTo(-(3 * Math.log(0.75) + Math.log(0.25)) / 4, 12)
  expect(brierScore(probabilities, labels)).toBeCloseTo((3 * 0.0625 + 0.5625) / 4, 12)
  expect(calibrationError(probabilities, labels)).toBeCloseTo((0.5 + 0.5) / 4, 12)
})
