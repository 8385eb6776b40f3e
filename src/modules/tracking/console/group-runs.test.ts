import { expect, test } from 'vitest'
import { groupRuns } from './group-runs.ts'
import { filterFor } from './run-columns.ts'
import { someRun } from './some-run.fixture.ts'

test('runs are grouped by a param, numbers in their order, with the mean and reach of what is a number', () => {
  const runs = [
    someRun({ params: { depth: '10' }, metrics: { auc: 1 } }),
    someRun({ params: { depth: '9' }, metrics: { auc: 2 } }),
    someRun({ params: { depth: '9' }, metrics: { auc: 4 } }),
    someRun({ params: { depth: '9' }, metrics: { auc: 'NaN' } }),
    someRun({ metrics: { loss: 1 } }),
  ]
  const groups = groupRuns(runs, { field: 'param', key: 'depth' }, ['auc'])
  expect(groups.map(({ value, runs: members }) => [value, members])).toEqual([
    ['9', 3],
    ['10', 1],
    [undefined, 1],
  ])
  expect(groups[0]?.metrics.get('auc')).toEqual({ runs: 2, mean: 3, lowest: 2, highest: 4 })
  expect(groups[2]?.metrics.has('auc')).toBe(false)
})

test('a group is found by a filter, whatever its value and the filter before', () => {
  expect(filterFor({ field: 'param', key: 'a.b c' }, "it's", undefined)).toBe("params.`a.b c` = 'it''s'")
  expect(filterFor({ field: 'tag', key: 'team' }, 'x', 'metrics.a > 1 or metrics.b > 1')).toBe(
    "(metrics.a > 1 or metrics.b > 1) and tags.`team` = 'x'",
  )
})
