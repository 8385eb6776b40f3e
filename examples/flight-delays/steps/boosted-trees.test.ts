import { describe, expect, test } from 'vitest'
import { type BoostingOptions, defaultBoosting, predict, seededRandom, trainBoostedTrees } from './boosted-trees.ts'
import { areaUnderCurve } from './score-quality.ts'

const quick: BoostingOptions = { ...defaultBoosting, trees: 20, depth: 4, minLeafWeight: 1 }

/** Late when exactly one of the first two values is large; the third is noise. A share of the values is missing. */
function exclusiveOr(rows: number, seed: number, missing = 0) {
  const random = seededRandom(seed)
  const values = Float32Array.from({ length: rows * 3 }, random)
  const labels = Uint8Array.from({ length: rows }, (_, row) => {
    const either = (values[row * 3] ?? 0) > 0.5 !== (values[row * 3 + 1] ?? 0) > 0.5
    return either === random() < 0.95 ? 1 : 0
  })
  for (let cell = 0; cell < values.length; cell++) if (random() < missing) values[cell] = Number.NaN
  return { featureNames: ['first', 'second', 'noise'], rows, values, labels }
}

describe('boosted trees', () => {
  test('learn what no single feature tells, and rank unseen rows by it', () => {
    const model = trainBoostedTrees(exclusiveOr(5000, 1), quick)
    const unseen = exclusiveOr(2000, 2)
    expect(areaUnderCurve(predict(model, unseen.values), unseen.labels).auc).toBeGreaterThan(0.93)
    const [first = 0, second = 0, noise = 0] = model.gains
    expect(Math.min(first, second)).toBeGreaterThan(5 * noise)
  })

  test('learn from a value being missing', () => {
    const random = seededRandom(3)
    const labels = Uint8Array.from({ length: 2000 }, () => (random() < 0.5 ? 1 : 0))
    const values = Float32Array.from(labels, (label) => (label === 1 && random() < 0.8 ? Number.NaN : random()))
    const model = trainBoostedTrees({ featureNames: ['only'], rows: 2000, values, labels }, quick)
    const [missing = 0, present = 1] = predict(model, Float32Array.of(Number.NaN, 0.5))
    expect(missing).toBeGreaterThan(0.95)
    expect(present).toBeLessThan(0.25)
  })

  test('are the same for the same seed and others for another', () => {
    const table = exclusiveOr(2000, 4, 0.1)
    const model = trainBoostedTrees(table, quick)
    expect(trainBoostedTrees(table, quick)).toEqual(model)
    expect(trainBoostedTrees(table, { ...quick, seed: 2 }).trees).not.toEqual(model.trees)
  })

  test('predict the share of the label on average', () => {
    const table = exclusiveOr(5000, 5)
    const probabilities = predict(trainBoostedTrees(table, quick), table.values)
    const mean = probabilities.reduce((sum, probability) => sum + probability, 0) / table.rows
    const share = table.labels.reduce((sum, label) => sum + label, 0) / table.rows
    expect(mean).toBeCloseTo(share, 2)
  })

  test('refuse a table with one label only', () => {
    const table = { ...exclusiveOr(100, 6), labels: new Uint8Array(100) }
    expect(() => trainBoostedTrees(table, quick)).toThrow('both labels')
  })
})
