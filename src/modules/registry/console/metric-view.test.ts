import fc from 'fast-check'
import { expect, test } from 'vitest'
import { differenceOf, differenceText, measuredOf, metricNames, metricText, rowsOf, wilson } from './metric-view.ts'

const auc = (value: number, low: number, high: number) =>
  measuredOf({ auc: value, auc_low: low, auc_high: high }).find(({ name }) => name === 'auc')

test('an interval is the one that the evaluation reports, and its bounds are no metrics of their own', () => {
  const metrics = { auc: 0.75, auc_low: 0.74, auc_high: 0.76, rows: 1000, brier: 0.13 }
  expect(measuredOf(metrics)).toEqual([
    { name: 'auc', value: 0.75, interval: { low: 0.74, high: 0.76, source: 'as the evaluation reports it' } },
    { name: 'brier', value: 0.13, interval: null },
  ])
  expect(rowsOf(metrics)).toBe(1000)
})

test('one bound alone is a metric like any other', () => {
  expect(measuredOf({ p: 1, p_low: 0.5 }).map(({ name, interval }) => [name, interval])).toEqual([
    ['p', null],
    ['p_low', null],
  ])
})

test('of a share of the rows the interval follows from their number, and without it none is known', () => {
  expect(measuredOf({ accuracy: 0.9 }, 100)[0]?.interval).toMatchObject({
    low: expect.closeTo(0.8256, 4),
    high: expect.closeTo(0.9448, 4),
  })
  expect(measuredOf({ accuracy: 0.9 })[0]?.interval).toBeNull()
  // Of an AUC the rows alone do not tell.
  expect(measuredOf({ auc: 0.9 }, 100)[0]?.interval).toBeNull()
})

test('an interval of Wilson holds the share, stays between 0 and 1 and narrows with more rows', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 1e6 }), (share, rows) => {
      const { low, high } = wilson(share, rows)
      const more = wilson(share, rows * 4)
      expect(low).toBeGreaterThanOrEqual(0)
      expect(high).toBeLessThanOrEqual(1)
      expect(share).toBeGreaterThanOrEqual(low - 1e-12)
      expect(share).toBeLessThanOrEqual(high + 1e-12)
      expect(more.high - more.low).toBeLessThanOrEqual(high - low)
    }),
  )
})

test('a difference within its interval is unclear; beyond it, better or worse by the direction of the metric', () => {
  expect(differenceOf('auc', auc(0.75, 0.74, 0.76), auc(0.755, 0.745, 0.765))).toMatchObject({ verdict: 'unclear' })
  expect(differenceOf('auc', auc(0.7, 0.69, 0.71), auc(0.75, 0.74, 0.76))).toMatchObject({
    by: expect.closeTo(0.05, 10),
    interval: { low: expect.closeTo(0.05 - Math.hypot(0.01, 0.01), 10) },
    verdict: 'better',
  })
  expect(differenceOf('log_loss', auc(0.7, 0.69, 0.71), auc(0.75, 0.74, 0.76))).toMatchObject({ verdict: 'worse' })
  expect(differenceOf('colour', auc(0.7, 0.69, 0.71), auc(0.75, 0.74, 0.76))).toMatchObject({ verdict: 'unknown' })
  expect(differenceOf('auc', undefined, auc(0.75, 0.74, 0.76))).toBeUndefined()
  const [bare] = measuredOf({ auc: 0.9 })
  expect(differenceOf('auc', bare, auc(0.75, 0.74, 0.76))).toMatchObject({ interval: null, verdict: 'unknown' })
})

test('numbers have the digits that tell them apart', () => {
  expect([metricText(161355), metricText(0.7579), metricText(12.3456), metricText(0.0000123)]).toEqual([
    '161,355',
    '0.7579',
    '12.35',
    '0.00001230',
  ])
  expect([differenceText(0.0123), differenceText(-2), differenceText(0)]).toEqual(['+0.0123', '−2', '±0'])
})

test('the metrics that most versions have come first', () => {
  expect(
    metricNames([{ metrics: { f1: 1 } }, { metrics: { auc: 1, f1: 1 } }, { metrics: { f1: 1, rows: 3 } }]),
  ).toEqual(['f1', 'auc'])
})
