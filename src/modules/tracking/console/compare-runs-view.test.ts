import { expect, test } from 'vitest'
import { comparedValues } from './compare-runs-view.ts'
import { someRun } from './some-run.fixture.ts'

test('params come before metrics, and a value that only some have differs', () => {
  const runs = [
    someRun({ params: { depth: '6', 'a.b': 'x' }, metrics: { auc: 0.7 } }),
    someRun({ params: { depth: '6' }, metrics: { auc: 'NaN', loss: 1 } }),
  ]
  expect(comparedValues(runs)).toEqual([
    { name: 'param.a.b', texts: ['x', undefined], differs: true },
    { name: 'param.depth', texts: ['6', '6'], differs: false },
    { name: 'metric.auc', texts: ['0.7', 'NaN'], differs: true },
    { name: 'metric.loss', texts: [undefined, '1'], differs: true },
  ])
})
