import { expect, test } from 'vitest'
import { comparedOrigins, comparedPackages, modelPathsOf, packagesOf } from './environment-view.ts'
import { someRun } from './some-run.fixture.ts'

test('packages are read from requirements and from conda, however they are written', () => {
  const requirements =
    'mlflow==3.1.0\n# why\nScikit_Learn[extra] >=1.5,<2 # pinned\nown @ git+https://x/y\n--index-url z\n\nnumpy\n'
  expect([...packagesOf(requirements)]).toEqual([
    ['mlflow', '3.1.0'],
    ['scikit-learn', '>=1.5,<2'],
    ['own', '@ git+https://x/y'],
    ['numpy', 'any version'],
  ])
  const conda =
    'channels:\n- conda-forge\ndependencies:\n- python=3.11.4\n- pip:\n  - mlflow==3.1.0\nname: mlflow-env\n'
  expect(packagesOf(conda).get('python')).toBe('3.11.4')
  expect(packagesOf(conda).get('mlflow')).toBe('3.1.0')
})

test('a package differs between environments that are known, not from one that is not', () => {
  const [numpy, pandas] = comparedPackages(['numpy==1\npandas==2', 'numpy==2\npandas==2', undefined])
  expect(numpy).toEqual({ name: 'numpy', texts: ['1', '2', undefined], differs: true })
  expect(pandas?.differs).toBe(false)
})

test('the code of runs is compared by what their client told of it', () => {
  const tags = (commit: string, diff: string) => ({
    'mlflow.source.git.commit': commit,
    'mlflow.source.git.diff': diff,
  })
  const runs = [someRun({ tags: tags('a', '+x') }), someRun({ tags: tags('a', '+y\n-z') })]
  expect(comparedOrigins(runs)).toEqual([
    { name: 'Git commit', texts: ['a', 'a'], differs: false },
    { name: 'Git diff', texts: ['diff 1, 1 lines', 'diff 2, 2 lines'], differs: true },
  ])
})

test('where an older client put a model is read from its tag, and nonsense there means nothing', () => {
  const history = (text: string) => modelPathsOf(someRun({ tags: { 'mlflow.log-model.history': text } }))
  expect(history('[{"artifact_path":"model"},{"run_id":"x"},3]')).toEqual(['model'])
  expect(history('{')).toEqual([])
  expect(history('{"artifact_path":"model"}')).toEqual([])
})
