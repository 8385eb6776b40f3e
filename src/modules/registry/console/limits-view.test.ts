import { expect, test } from 'vitest'
import { limitsOf } from './limits-view.ts'
import { someVersion } from './some-version.fixture.ts'

test('of a version with nothing beside its graph every gap is named', () => {
  expect(limitsOf(someVersion())).toEqual([
    'No metric was reported: how well it predicts is not known.',
    'It was not evaluated on parts of the data: some group may be served badly unseen.',
    'Its training data has no profile, so drift of its inputs cannot be seen.',
    'The data that it learned from is not recorded.',
    'It cannot be made again from what is recorded: its run or its code is missing.',
  ])
})

test('the worst part of the data is named with its numbers, in the direction of the metric', () => {
  const slices = [
    { slice: 'origin=ORD', rows: 9034, metrics: { auc: 0.66, log_loss: 0.4 } },
    { slice: 'origin=PHX', rows: 5137, metrics: { auc: 0.77, log_loss: 0.9 } },
  ]
  const limits = limitsOf(someVersion({ metrics: { auc: 0.75, log_loss: 0.42 }, slices }))
  expect(limits).toContain('auc is worst on origin=ORD: 0.6600 on 9,034 rows, against 0.7500 overall.')
  expect(limits).toContain('log_loss is worst on origin=PHX: 0.9000 on 5,137 rows, against 0.4200 overall.')
  expect(limits).toContain('No confidence interval is known of auc, log_loss.')
})

test('a well documented version has no limits to tell', () => {
  const profile = [
    { name: 'distance', count: 10, nulls: 1, mean: 1, std: 1, min: 0, max: 2, edges: [1], counts: [4, 5] },
  ]
  const digest = `sha256:${'c'.repeat(64)}`
  const documented = someVersion({
    metrics: { auc: 0.75, auc_low: 0.74, auc_high: 0.76 },
    baseline: { name: 'naive', metrics: { auc: 0.6 } },
    slices: [{ slice: 'all', rows: 10, metrics: { auc: 0.76 } }],
    profile,
    datasets: ['flights@1'],
    run: '00000000-0000-7000-8000-00000000000a',
    code: digest,
  })
  expect(limitsOf(documented)).toEqual([])
})
