import { expect, test } from 'vitest'
import type { TrackingRun } from '../contract.ts'
import {
  availableColumns,
  cellOf,
  columnsOf,
  columnText,
  curveOf,
  nextOrder,
  orderOf,
  usualColumns,
} from './run-columns.ts'

const point = (key: string, value: number | 'NaN') => ({
  key,
  value,
  step: 0,
  timestamp: 0,
  lowest: null,
  highest: null,
})

const run: TrackingRun = {
  run: '00000000-0000-7000-8000-00000000000a',
  experiment: '1',
  name: '<b>深い木</b> 🌲',
  status: 'finished',
  state: 'active',
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: null,
  author: '00000000-0000-7000-8000-000000000001',
  tags: { team: 'a', 'mlflow.user': 'ada', 'mlflow.source.type': 'LOCAL' },
  params: { 'model.depth': '4' },
  metrics: [point('auc', 0.123456789), point('val/loss', 'NaN')],
  datasets: [],
  models: [],
}

test('columns survive the way through an address, with points and slashes in their keys', () => {
  const all = availableColumns([run, run])
  expect(all.map(columnText)).toEqual([
    'metric.auc',
    'metric.val/loss',
    'param.model.depth',
    'tag.mlflow.user',
    'tag.team',
  ])
  expect(columnsOf(all.map(columnText).join(','))).toEqual(all)
  expect(columnsOf('nothing,metric.,attribute.x,metric.auc,metric.auc')).toEqual([{ field: 'metric', key: 'auc' }])
  expect(usualColumns([run]).map(columnText)).toEqual(['metric.auc', 'metric.val/loss', 'param.model.depth'])
})

test('a cell is what was logged, or nothing', () => {
  expect(
    columnsOf('metric.auc,metric.val/loss,param.model.depth,tag.team,metric.f1').map((one) => cellOf(run, one)),
  ).toEqual(['0.123457', 'NaN', '4', 'a', undefined])
})

test('a heading goes from highest to lowest to the usual order', () => {
  expect(nextOrder('', 'metric.auc')).toBe('-metric.auc')
  expect(nextOrder('-metric.auc', 'metric.auc')).toBe('metric.auc')
  expect(nextOrder('metric.auc', 'metric.auc')).toBeUndefined()
  expect(orderOf('-metric.val/loss')).toEqual([{ field: 'metric', key: 'val/loss', descending: true }])
  expect(orderOf('name')).toEqual([{ field: 'attribute', key: 'name', descending: false }])
  expect(orderOf('; drop table')).toEqual([])
})

test('what is no number leaves a gap in a curve', () => {
  expect(curveOf([point('loss', 1), { ...point('loss', 'NaN'), step: 1 }])).toEqual([
    [0, 1],
    [1, null],
  ])
})
