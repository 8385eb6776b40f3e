import { expect, test } from 'vitest'
import type { TrackingRun } from '../contract.ts'
import { comparedValues } from './compare-runs-view.ts'

function runWith(params: Record<string, string>, metrics: Record<string, number | 'NaN'>): TrackingRun {
  const points = Object.entries(metrics).map(([key, value]) => ({
    key,
    value,
    step: 0,
    timestamp: 0,
    loggedModel: null,
  }))
  return {
    run: '00000000-0000-7000-8000-00000000000a',
    experiment: '1',
    name: 'r',
    status: 'finished',
    state: 'active',
    startedAt: '2026-01-01T00:00:00Z',
    endedAt: null,
    author: '00000000-0000-7000-8000-00000000000b',
    tags: {},
    params,
    metrics: points,
    datasets: [],
    models: [],
  }
}

test('params come before metrics, and a value that only some have differs', () => {
  const runs = [runWith({ depth: '6', 'a.b': 'x' }, { auc: 0.7 }), runWith({ depth: '6' }, { auc: 'NaN', loss: 1 })]
  expect(comparedValues(runs)).toEqual([
    { name: 'param.a.b', texts: ['x', undefined], differs: true },
    { name: 'param.depth', texts: ['6', '6'], differs: false },
    { name: 'metric.auc', texts: ['0.7', 'NaN'], differs: true },
    { name: 'metric.loss', texts: [undefined, '1'], differs: true },
  ])
})
