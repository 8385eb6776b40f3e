import { expect, test } from 'vitest'
import { type Evaluation, type Metric, MonitorSpec } from '../contract.ts'
import {
  binNames,
  byDanger,
  comparisonOption,
  dangerOf,
  seriesOf,
  subjectOf,
  verdictOf,
  watchesOf,
} from './monitor-view.ts'

const metric = (kind: Metric['kind'], feature: string | null, value: number | null, threshold: number): Metric => ({
  kind,
  feature,
  value,
  threshold,
  breached: value === null ? null : value > threshold,
  rows: 1000,
})

test('the nearest to its limit comes first, also where low is bad', () => {
  const metrics = [
    metric('drift', 'distance', 0.05, 0.2),
    metric('performance', null, 0.7, 0.69),
    metric('drift', 'hour', 0.3, 0.2),
    metric('drift', 'unknown', null, 0.2),
  ]
  expect(byDanger(metrics).map(subjectOf)).toEqual([
    'input drift of hour',
    'performance',
    'input drift of distance',
    'input drift of unknown',
  ])
  expect(dangerOf(metric('performance', null, 0.5, 0.7))).toBeGreaterThan(1)
})

test('what cannot be told is not called fine', () => {
  expect(verdictOf({ breached: null, value: 0.1 }).word).toBe('too few rows')
  expect(verdictOf({ breached: null, value: null }).word).toBe('no data')
  expect(verdictOf({ breached: true, value: 1 }).tone).toBe('bad')
})

test('a declaration is told in words', () => {
  const spec = MonitorSpec.parse({
    endpoint: 'e',
    drift: { exclude: ['weekday'], consecutive: 2 },
    performance: { minimum: 0.7, maximumDrop: 0.05 },
  })
  expect(watchesOf(spec)).toEqual([
    'Inputs (every feature but weekday) against the training data of what serves: at most 0.2 PSI, 2 times in a row',
    'Realised AUC: at least 0.7 and at most 0.05 below the registered one',
  ])
})

test('a metric over time is in order, whatever order evaluations come in', () => {
  const evaluation = (at: string, value: number): Evaluation => ({
    environment: 'prod',
    monitor: 'm',
    at,
    from: at,
    version: 'm@1',
    predictions: 1,
    labelled: 0,
    metrics: [metric('drift', 'a', value, 0.2), metric('drift', 'b', 9, 0.2)],
  })
  const points = seriesOf([evaluation('2026-01-02T00:00:00Z', 2), evaluation('2026-01-01T00:00:00Z', 1)], {
    kind: 'drift',
    feature: 'a',
  })
  expect(points.map(({ value }) => value)).toEqual([1, 2])
})

test('bins are named by their edges, and what is missing is a bin', () => {
  expect(binNames([10, 20.004])).toEqual(['< 10', '10 – 20', '≥ 20'])
  expect(binNames([])).toEqual(['all'])
  const option = comparisonOption([10], { counts: [3, 1], nulls: 0 }, { counts: [1, 1], nulls: 2 })
  expect(option).toMatchObject({
    xAxis: { data: ['< 10', '≥ 10', 'none'] },
    series: [{ data: [75, 25, 0] }, { data: [25, 25, 50] }],
  })
})
