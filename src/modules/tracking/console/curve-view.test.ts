import fc from 'fast-check'
import { expect, test } from 'vitest'
import { curveAlong, positive, smoothed } from './curve-view.ts'

const point = (step: number, timestamp: number, value: number | 'NaN') => ({ key: 'loss', step, timestamp, value })

test('a curve lies along steps, seconds or the clock, with gaps where there is no number', () => {
  const points = [point(0, 5_000, 1), point(10, 7_500, 'NaN'), point(20, 9_000, 3)]
  expect(curveAlong(points, 'step')).toEqual([
    [0, 1],
    [10, null],
    [20, 3],
  ])
  expect(curveAlong(points, 'relative')).toEqual([
    [0, 1],
    [2.5, null],
    [4, 3],
  ])
  expect(curveAlong(points, 'wall').map(([x]) => x)).toEqual([5_000, 7_500, 9_000])
  expect(
    positive([
      [0, 1],
      [1, 0],
      [2, -1],
      [3, null],
    ]),
  ).toEqual([
    [0, 1],
    [1, null],
    [2, null],
    [3, null],
  ])
})

test('smoothing by 0 changes nothing, begins where the curve does, and stays within it', () => {
  expect(
    smoothed(
      [
        [0, 1],
        [1, null],
        [2, 3],
      ],
      0.5,
    ),
  ).toEqual([
    [0, 1],
    [1, null],
    [2, (0.25 + 1.5) / 0.75],
  ])
  const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 0.99, noNaN: true }), (ys, factor) => {
      const curve = ys.map((y, x): [number, number] => [x, y])
      const drawn = smoothed(curve, factor).map(([, y]) => y ?? Number.NaN)
      expect(drawn[0]).toBeCloseTo(ys[0] ?? 0, 6)
      expect(Math.min(...drawn)).toBeGreaterThanOrEqual(Math.min(...ys) - 1e-6)
      expect(Math.max(...drawn)).toBeLessThanOrEqual(Math.max(...ys) + 1e-6)
      if (factor === 0) expect(drawn).toEqual(ys)
    }),
  )
})
