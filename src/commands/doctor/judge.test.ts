import { expect, test } from 'vitest'
import { judgeSkew } from './database.ts'
import { judgeNode, judgeSpace } from './machine.ts'

test.each([
  ['22.21.0', 'fail'],
  ['24.14.9', 'fail'],
  ['24.15.0', 'ok'],
  ['26.0.0', 'ok'],
])('Node %s is %s', (version, level) => {
  expect(judgeNode(version)).toMatchObject({ level })
})

test.each([
  [0.5, 'fail', 'disk-full'],
  [3, 'warn', 'disk-filling'],
  [50, 'ok', 'disk'],
])('%d GiB free: %s', (gibibytes, level, code) => {
  expect(judgeSpace(gibibytes * 2 ** 30, '/data')).toMatchObject({ level, code })
})

test.each([
  [40_000, 'fail', /40\.0 s ahead of/],
  [-2_500, 'warn', /2\.5 s behind/],
  [300, 'ok', /0\.3 s ahead of/],
])('a clock that is %d ms off: %s', (ms, level, what) => {
  expect(judgeSkew(ms)).toMatchObject({ level, what: expect.stringMatching(what) })
})
