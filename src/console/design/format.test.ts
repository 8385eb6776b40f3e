import { expect, test } from 'vitest'
import { counted, duration, milliseconds, percent, percentOfBasisPoints, rate } from './format.ts'

test('shares are percentages without digits that say nothing', () => {
  expect([percent(0), percent(0.00214), percent(1), percentOfBasisPoints(50), percentOfBasisPoints(1000)]).toEqual([
    '0 %',
    '0.21 %',
    '100 %',
    '0.5 %',
    '10 %',
  ])
})

test('latencies have three significant digits', () => {
  expect([milliseconds(0.73456), milliseconds(3.4712), milliseconds(1234.5)]).toEqual([
    '0.735 ms',
    '3.47 ms',
    '1230 ms',
  ])
})

test('a rate is told in the unit of time that gives at least one', () => {
  const hour = 3_600_000
  expect([rate(7200, hour), rate(60, hour), rate(2, hour), rate(1, 2 * hour), rate(5, 0)]).toEqual([
    '2/s',
    '1/min',
    '2/h',
    '12/day',
    '0/day',
  ])
})

test('one is not many', () => {
  const some = [counted(1, 'endpoint'), counted(2000, 'endpoint'), counted(2, 'entry'), counted(2, 'day')]
  expect(some).toEqual(['1 endpoint', '2,000 endpoints', '2 entries', '2 days'])
})

test('a span of time is told in its two largest units', () => {
  const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000]
  expect([0, 300, 45 * second, 90 * second, 59.6 * minute].map(duration)).toEqual([
    '0 s',
    '300 ms',
    '45 s',
    '2 min',
    '1 h',
  ])
  expect([3 * hour + 20 * minute, day, 2 * day + 3 * hour, 40 * day].map(duration)).toEqual([
    '3 h 20 min',
    '1 d',
    '2 d 3 h',
    '40 d',
  ])
})
