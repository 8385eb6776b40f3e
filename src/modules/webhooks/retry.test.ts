import { expect, it } from 'vitest'
import { delayMs, mostTries } from './retry.ts'

it('waits twice as long after each failure, spread by half, and never longer than twenty minutes', () => {
  expect([1, 2, 3, 4].map((failures) => delayMs(failures, 0.5))).toEqual([2_000, 4_000, 8_000, 16_000])
  expect([delayMs(3, 0), delayMs(3, 1)]).toEqual([6_000, 10_000])
  expect(delayMs(1_000, 1)).toBeLessThanOrEqual(20 * 60_000)
  const untilGivenUp = Array.from({ length: mostTries - 1 }, (_, tries) => delayMs(tries + 1, 0.5))
  expect(untilGivenUp.reduce((sum, delay) => sum + delay, 0) / 60_000).toBeCloseTo(17, 0)
})
