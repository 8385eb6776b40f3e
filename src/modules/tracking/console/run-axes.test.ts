import { expect, test } from 'vitest'
import { axisOf, brushesOf, brushesText, isMarked, varyingColumns } from './run-axes.ts'
import { columnText } from './run-columns.ts'
import { someRun } from './some-run.fixture.ts'

const runs = ['0.0001', '0.01', '1'].map((lr, index) =>
  someRun({
    run: String(index),
    params: { lr, kind: index === 2 ? 'net' : 'trees', same: '1', id: `run ${index}` },
    metrics: { auc: index, flat: 1, 'system/cpu': index, loss: index === 1 ? 'NaN' : index },
  }),
)

test('what varies becomes an axis: numbers by size, wide ones by magnitude, texts in order', () => {
  expect(varyingColumns(runs).map(columnText)).toEqual([
    'param.id',
    'param.kind',
    'param.lr',
    'metric.auc',
    'metric.loss',
  ])
  const places = (field: 'param' | 'metric', key: string) =>
    runs.map((run) => axisOf(runs, { field, key })?.placeOf(run)?.toFixed(3))
  expect(places('param', 'lr')).toEqual(['0.000', '0.500', '1.000'])
  expect(axisOf(runs, { field: 'param', key: 'lr' })?.log).toBe(true)
  expect(places('metric', 'auc')).toEqual(['0.000', '0.500', '1.000'])
  expect(places('metric', 'loss')).toEqual(['0.000', undefined, '1.000'])
  expect(places('param', 'kind')).toEqual(['1.000', '1.000', '0.000'])
})

test('what is marked on the axes survives the address and keeps the ends', () => {
  const axes = varyingColumns(runs).flatMap((column) => axisOf(runs, column) ?? [])
  const brushes = brushesOf(brushesText(new Map([['param.lr', [0.005, 1] as const]])))
  expect([...brushes]).toEqual([['param.lr', [0.005, 1]]])
  expect(runs.map((run) => isMarked(run, axes, brushes))).toEqual([false, true, true])
  const both = brushesOf('param.lr~0.005~1,metric.loss~0~5,nonsense,metric.auc~x~2')
  expect(runs.map((run) => isMarked(run, axes, both))).toEqual([false, false, true])
})
