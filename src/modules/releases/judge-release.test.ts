import { describe, expect, test } from 'vitest'
import { emptyLatencyHistogram, recordLatency } from '#algorithms/statistics/latency-histogram.ts'
import { seededRandom } from '#testing/predictions.ts'
import { Guardrails } from './contract.ts'
import { judge, type Observed } from './judge-release.ts'

const training = new Map([['distance', [250, 250, 250, 250]]])

function observed(given: Partial<Observed> & { milliseconds?: number; distance?: number[] }): Observed {
  const latency = emptyLatencyHistogram()
  const rows = given.rows ?? 300
  for (let i = 0; i < rows; i++) recordLatency(latency, given.milliseconds ?? 2)
  return {
    rows,
    errors: 0,
    fallbacks: 0,
    latency,
    features: new Map([['distance', given.distance ?? [75, 75, 75, 75]]]),
    ...given,
  }
}

function verdictOf(guardrails: object, candidate: Observed, current?: Observed) {
  const [verdict] = judge(Guardrails.parse(guardrails), candidate, training, current, training)
  return verdict
}

describe('errorRate', () => {
  test('counts errors and fallbacks', () => {
    const candidate = observed({ errors: 2, fallbacks: 2 })
    expect(verdictOf({ errorRate: '1%' }, candidate)).toMatchObject({ verdict: 'fail', value: 4 / 300, limit: 0.01 })
    expect(verdictOf({ errorRate: '2%' }, candidate)).toMatchObject({ verdict: 'pass' })
  })

  test('says nothing of a few rows', () => {
    expect(verdictOf({ errorRate: '1%' }, observed({ rows: 20, errors: 20 }))).toMatchObject({ verdict: 'no-data' })
    expect(verdictOf({ errorRate: '1%' }, observed({ rows: 0 }))).toMatchObject({ verdict: 'no-data', value: null })
  })
})

test('latencyP99Ms', () => {
  expect(verdictOf({ latencyP99Ms: 10 }, observed({ milliseconds: 30 }))).toMatchObject({ verdict: 'fail' })
  expect(verdictOf({ latencyP99Ms: 10 }, observed({ milliseconds: 3 }))).toMatchObject({ verdict: 'pass' })
})

describe('inputShift', () => {
  const guardrail = { inputShift: {} }

  test('fails on a feature in another unit, and names it', () => {
    const candidate = observed({ distance: [0, 0, 10, 290] })
    expect(verdictOf(guardrail, candidate, observed({}))).toMatchObject({ verdict: 'fail', feature: 'distance' })
  })

  test('passes a season that the serving version sees too', () => {
    const season = { distance: [150, 100, 40, 10] }
    expect(verdictOf(guardrail, observed(season), observed(season))).toMatchObject({ verdict: 'pass' })
  })

  test('does not mistake chance for a shift: on few rows over many bins the index is large by itself', () => {
    const random = seededRandom(7)
    const reference = new Map([['distance', new Array<number>(20).fill(5_000)]])
    let failed = 0
    for (let trial = 0; trial < 300; trial++) {
      const distance = new Array<number>(20).fill(0)
      for (let row = 0; row < 100; row++) {
        const bin = Math.floor(random() * 20)
        distance[bin] = (distance[bin] ?? 0) + 1
      }
      const guardrails = Guardrails.parse({ inputShift: { minimum: 100, excess: 0.05 } })
      const [verdict] = judge(guardrails, observed({ distance, rows: 100 }), reference, undefined, new Map())
      if (verdict?.verdict === 'fail') failed += 1
    }
    expect(failed).toBe(0)
  })

  test('waits for enough rows on both sides', () => {
    const shifted = { distance: [0, 0, 0, 20] }
    expect(verdictOf(guardrail, observed({ ...shifted, rows: 20 }), observed({}))).toMatchObject({ verdict: 'no-data' })
    expect(verdictOf(guardrail, observed(shifted), observed({ rows: 20 }))).toMatchObject({ verdict: 'no-data' })
  })

  test('looks past excluded features, and past bins that are not those of the profile', () => {
    const candidate = observed({ distance: [0, 0, 10, 290] })
    expect(verdictOf({ inputShift: { exclude: ['distance'] } }, candidate)).toMatchObject({ verdict: 'no-data' })
    expect(verdictOf(guardrail, observed({ distance: [300] }))).toMatchObject({ verdict: 'no-data', value: null })
  })
})

test('only declared guardrails are judged', () => {
  expect(verdictOf({}, observed({ errors: 300 }))).toBeUndefined()
})
