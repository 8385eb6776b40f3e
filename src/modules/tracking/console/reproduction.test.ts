import { expect, test } from 'vitest'
import { reproductionOf } from './reproduction.ts'
import { someRun } from './some-run.fixture.ts'

const known = (lines: ReturnType<typeof reproductionOf>) =>
  Object.fromEntries(lines.flatMap(({ what, known: found }) => (found === undefined ? [] : [[what, found]])))

test('what a run recorded is known, and what it did not has advice', () => {
  const bare = reproductionOf(someRun({}), undefined)
  expect(known(bare)).toEqual({})
  expect(bare.every(({ advice }) => advice.includes('mlflow.'))).toBe(true)
  const tags = {
    'mlflow.source.git.commit': 'abc',
    'mlflow.source.git.repoURL': 'https://x/y',
    'mlflow.source.git.diff': '-a\n+b',
    'mlflow.source.name': 'train.py',
  }
  const run = {
    ...someRun({ tags, params: { seed: '7' }, metrics: { 'system/cpu_utilization_percentage': 3, auc: 1 } }),
    datasets: [{ name: 'd', digest: 'f00', sourceType: 'local', source: '', schema: null, profile: null, tags: {} }],
  }
  expect(known(reproductionOf(run, 'requirements.txt, 3 packages'))).toEqual({
    Code: 'https://x/y at abc',
    'Changes that were not committed': 'a diff of 2 lines',
    'Entry point': 'train.py',
    Params: 'seed',
    Environment: 'requirements.txt, 3 packages',
    Data: 'd f00',
    Machine: '1 system metrics',
  })
})

test('a clean checkout has no diff and needs none; a dirty one without it cannot be made again', () => {
  const changes = (tags: Record<string, string>) => known(reproductionOf(someRun({ tags }), undefined))
  expect(changes({ 'mlflow.source.git.dirty': 'False' })).toEqual({
    'Changes that were not committed': 'none were there',
  })
  expect(changes({ 'mlflow.source.git.dirty': 'True' })).toEqual({})
})
