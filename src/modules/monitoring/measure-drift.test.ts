import { expect, it } from 'vitest'
import { profileColumn } from '#algorithms/statistics/profile.ts'
import { seededRandom } from '#testing/predictions.ts'
import { measureDrift } from './measure-drift.ts'

const random = seededRandom(3)
const draw = (rows: number, shift = 0) => Array.from({ length: rows }, () => random() + shift)
const reference = profileColumn('distance', draw(5000))
const live = (values: (number | null)[]) => profileColumn('distance', values, reference.edges)
const options = { threshold: 0.05, minimum: 100 }

it('does not alarm on small windows of the same distribution, whatever threshold was declared', () => {
  const windows = Array.from({ length: 200 }, () => measureDrift(reference, live(draw(300)), options))
  expect(windows.filter(({ value }) => (value ?? 0) > options.threshold).length).toBeGreaterThan(0)
  expect(windows.filter(({ breached }) => breached).length).toBeLessThanOrEqual(2)
})

it('alarms when values move, and when they go missing', () => {
  expect(measureDrift(reference, live(draw(300, 0.3)), options)).toMatchObject({ breached: true, rows: 300 })
  const missing = draw(300).map((value, i) => (i % 4 === 0 ? null : value))
  expect(measureDrift(reference, live(missing), options)).toMatchObject({ breached: true, rows: 300 })
})

it('cannot tell from too few rows', () => {
  expect(measureDrift(reference, live(draw(99, 5)), options)).toMatchObject({ breached: null, rows: 99 })
  expect(measureDrift(reference, live([]), options)).toMatchObject({ value: null, breached: null, rows: 0 })
})
