import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Strategy } from './contract.ts'
import { firstStage, nextStage, rowsNeeded, strategyProblem } from './strategy.ts'

const strategy = (given: object) => Strategy.parse(given)
const steps = [
  { weight: '5%', requests: 300 },
  { weight: '50%', requests: 500 },
]

describe('stages', () => {
  test('a first version serves at once', () => {
    const shadowed = strategy({ shadow: { sample: '10%', requests: 100 }, steps })
    expect(firstStage(shadowed, null)).toEqual({ state: 'completed', step: null, weight: 10_000 })
  })

  test('go from shadow through each step to all traffic, and wait in each for its rows', () => {
    const shadowed = strategy({ shadow: { sample: '10%', requests: 100 }, steps })
    const shadow = firstStage(shadowed, 'm@1')
    const first = nextStage(shadowed, shadow)
    const second = nextStage(shadowed, first)
    const all = [shadow, first, second, nextStage(shadowed, second)]
    expect(all.map(({ state, weight }) => [state, weight])).toEqual([
      ['shadow', 0],
      ['canary', 500],
      ['canary', 5000],
      ['completed', 10_000],
    ])
    expect([shadow, first, second].map((stage) => rowsNeeded(shadowed, stage))).toEqual([100, 300, 500])
  })

  test('the share never falls, and every strategy ends', () => {
    const percents = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 20 })
    fc.assert(
      fc.property(percents, fc.boolean(), (weights, shadow) => {
        const rising = [...weights].sort((a, b) => a - b).map((weight) => ({ weight: `${weight}%`, requests: 10 }))
        const wanted = strategy({ ...(shadow && { shadow: { sample: '1%', requests: 10 } }), steps: rising })
        expect(strategyProblem(wanted)).toBeUndefined()
        let stage = firstStage(wanted, 'm@1')
        for (let moves = 0; stage.state !== 'completed'; moves++) {
          const next = nextStage(wanted, stage)
          expect(next.weight).toBeGreaterThan(stage.weight)
          expect(moves).toBeLessThanOrEqual(weights.length + 1)
          stage = next
        }
      }),
    )
  })
})

test.each([
  [['50%', '50%'], /step 2 gives 50%/],
  [['50%', '5%'], /step 2 gives 5%/],
  [['100%'], /step 1 gives all traffic/],
  [['0%'], /step 1 gives 0%/],
])('steps of %s make no sense', (weights, why) => {
  expect(strategyProblem(strategy({ steps: weights.map((weight) => ({ weight, requests: 1 })) }))).toMatch(why)
})

test.each(['5', '-5%', '101%', '5.001%', 'five%'])('a weight of %s is refused', (weight) => {
  expect(Strategy.safeParse({ steps: [{ weight, requests: 1 }] }).success).toBe(false)
})
