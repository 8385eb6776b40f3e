import { expect, test } from 'vitest'
import { flatLines, missingParents, nestedLines } from './arrange-runs.ts'
import { someRun } from './some-run.fixture.ts'

const within = (run: string, parent: string) =>
  someRun({ run, tags: { 'mlflow.parentRunId': idOf(parent).replaceAll('-', '') } })
const idOf = (run: string): string => someRun({ run }).run
const told = (lines: ReturnType<typeof nestedLines>) =>
  lines.map(({ run, depth, children }) => `${' '.repeat(depth)}${run.run.replace(/^.*-0*/, '')}${children || ''}`)

test('runs lie under the one that began them, where the first of them was found', () => {
  const runs = [within('d', 'c'), someRun({ run: 'e' }), within('c', 'a'), within('b', 'a'), someRun({ run: 'a' })]
  expect(told(nestedLines(runs, [], new Set()))).toEqual(['a2', 'e'])
  expect(told(nestedLines(runs, [], new Set([idOf('a')])))).toEqual(['a2', ' c1', ' b', 'e'])
  expect(told(nestedLines(runs, [], new Set([idOf('a'), idOf('c')])))).toEqual(['a2', ' c1', '  d', ' b', 'e'])
  expect(told(flatLines(runs))).toEqual(['d', 'e', 'c', 'b', 'a'])
})

test('a parent that was not found itself is shown around its runs; one that is gone hides nothing', () => {
  const runs = [within('b', 'a'), within('c', 'f')]
  expect(missingParents(runs)).toEqual([idOf('a'), idOf('f')])
  const lines = nestedLines(runs, [someRun({ run: 'a' })], new Set([idOf('a')]))
  expect(told(lines)).toEqual(['a1', ' b', 'c'])
  expect(lines.map(({ context }) => context)).toEqual([true, false, false])
})

test('runs that lie within each other are shown all the same', () => {
  const runs = [within('a', 'b'), within('b', 'a'), within('c', 'a'), within('d', 'd')]
  const lines = nestedLines(runs, [], new Set(['a', 'b', 'c', 'd'].map(idOf)))
  expect(told(lines).sort()).toEqual(['a', 'b', 'c', 'd'])
})
