import { expect, it } from 'vitest'
import { type Arm, differenceOfMeans } from './confidence-sequence.ts'
import { wilsonInterval } from './proportion.ts'

it('is the interval of the paper with the tuning constant that GrowthBook uses', () => {
  const baseline = { count: 1200, mean: 0.1, variance: 0.09 }
  const candidate = { count: 800, mean: 0.13, variance: 0.11 }
  const rows = 2000
  const rho = 0.03984006677137368
  const variance = rows * (0.09 / 1200 + 0.11 / 800)
  const term = rows * rho ** 2
  const halfWidth = Math.sqrt(((variance * 2 * (term + 1)) / (rows * rho) ** 2) * Math.log(Math.sqrt(term + 1) / 0.05))
  const t = 0.03 / Math.sqrt(variance / rows)
  const pValue = Math.sqrt(term + 1) / Math.exp((rho ** 2 * rows * t ** 2) / (2 * (term + 1)))

  const result = differenceOfMeans(baseline, candidate)
  expect(result?.estimate).toBeCloseTo(0.03, 12)
  expect(result?.halfWidth).toBeCloseTo(halfWidth, 12)
  expect(result?.pValue).toBeCloseTo(Math.min(1, pValue), 12)
})

it('has nothing to say before there is variance', () => {
  const arm = { count: 10, mean: 1, variance: 0 }
  expect(differenceOfMeans(arm, arm)).toBeNull()
  expect(differenceOfMeans({ ...arm, count: 1, variance: 1 }, { ...arm, variance: 1 })).toBeNull()
})

it('rejects exactly when the interval leaves zero', () => {
  const baseline = { count: 500, mean: 0, variance: 1 }
  for (const mean of [0, 0.1, 0.2, 0.25, 0.3, -0.3, 1]) {
    const result = differenceOfMeans(baseline, { count: 400, mean, variance: 2 }, { alpha: 0.1 })
    expect(result && result.pValue <= 0.1).toBe(result && Math.abs(result.estimate) >= result.halfWidth)
  }
})

it('holds its error over hundreds of looks, where a repeated t-test does not', () => {
  let state = 42
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const watched = { sequence: 0, tTest: 0 }
  const experiments = 300
  for (let experiment = 0; experiment < experiments; experiment++) {
    const sums = [0, 0]
    const alarmed = { sequence: false, tTest: false }
    for (let rows = 1; rows <= 1000; rows++) {
      for (const arm of [0, 1]) sums[arm] = (sums[arm] ?? 0) + (uniform() < 0.3 ? 1 : 0)
      if (rows < 50 || rows % 10 !== 0) continue
      const [baseline, candidate] = sums.map((sum): Arm => {
        const mean = sum / rows
        return { count: rows, mean, variance: (mean * (1 - mean) * rows) / (rows - 1) }
      })
      if (baseline === undefined || candidate === undefined) continue
      const result = differenceOfMeans(baseline, candidate)
      if (result !== null && result.pValue <= 0.05) alarmed.sequence = true
      const error = Math.sqrt((baseline.variance + candidate.variance) / rows)
      if (Math.abs(candidate.mean - baseline.mean) > 1.96 * error) alarmed.tTest = true
    }
    watched.sequence += Number(alarmed.sequence)
    watched.tTest += Number(alarmed.tTest)
  }
  expect(watched.sequence / experiments).toBeLessThan(0.05)
  expect(watched.tTest / experiments).toBeGreaterThan(0.15)
})

it('gives the Wilson interval', () => {
  expect(wilsonInterval(5, 10)?.low).toBeCloseTo(0.2366, 4)
  expect(wilsonInterval(5, 10)?.high).toBeCloseTo(0.7634, 4)
  expect(wilsonInterval(0, 10)?.low).toBe(0)
  expect(wilsonInterval(0, 10)?.high).toBeCloseTo(0.2775, 4)
  expect(wilsonInterval(0, 0)).toBeNull()
})
