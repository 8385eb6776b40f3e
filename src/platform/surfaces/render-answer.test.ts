import { expect, test } from 'vitest'
import { renderAnswer } from './render-answer.ts'

const id = '01a1fde7-316e-7156-ad1b-f1d5365a2d81'
const sha = `sha256:${'ab'.repeat(32)}`

test('a list is a table without what nobody reads in one', () => {
  const items = [
    {
      run: id,
      state: 'done',
      actsFor: id,
      digest: sha,
      error: null,
      startedAt: '2026-11-21T11:44:14.740Z',
      subjects: [{ kind: 'version', id: 'delays@1' }],
      values: { auc: 0.758871730385, model: sha },
      deep: { one: { two: 3 } },
    },
    { run: id, state: 'failed', actsFor: id, digest: sha, error: null, startedAt: null, subjects: [], values: {} },
  ]
  expect(renderAnswer({ items, nextCursor: 'abc' })).toBe(
    [
      'run                                   state   startedAt             subjects          values',
      `${id}  done    2026-11-21T11:44:14Z  version:delays@1  auc 0.75887, model sha256:abababababab…`,
      `${id}  failed  -                     -                 -`,
      '(more: --cursor abc)',
    ].join('\n'),
  )
})

test('long text is cut visibly, in the last column not at all', () => {
  const long = 'x'.repeat(100)
  const [, line] = renderAnswer({ items: [{ name: 'a', note: long, reason: long }] }).split('\n')
  expect(line).toBe(`a     ${'x'.repeat(63)}…  ${long}`)
})

test('an empty list says so', () => {
  expect(renderAnswer({ items: [], nextCursor: null })).toBe('(nothing)')
})

test('one thing is lines, with what it holds indented below', () => {
  const answer = {
    ref: 'delays@1',
    digest: sha,
    features: ['origin', 'distance'],
    metrics: { auc: 0.75 },
    cause: { kind: 'release', id: 'r1' },
    rules: [{ rule: 'good_enough', passed: true }],
    log: 'one\ntwo\n',
    note: null,
  }
  expect(renderAnswer(answer)).toBe(
    [
      'ref       delays@1',
      `digest    ${sha}`,
      'features  origin, distance',
      'metrics',
      '  auc  0.75',
      'cause     release:r1',
      'rules',
      '  rule         passed',
      '  good_enough  true',
      'log',
      '  one',
      '  two',
      'note      -',
    ].join('\n'),
  )
})

test('Markdown is printed as it is', () => {
  expect(renderAnswer({ document: { version: 1 }, markdown: '# Evidence\n' })).toBe('# Evidence')
})
