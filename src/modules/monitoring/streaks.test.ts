import { expect, it } from 'vitest'
import { judgeHistory } from './streaks.ts'

/** Oldest first, as people read: `x` breached, `.` clear; a window's time is its position. */
const judge = (text: string, consecutive: number) =>
  judgeHistory([...text].map((mark, i) => ({ at: String(i), breached: mark === 'x' })).reverse(), consecutive)

it.each([
  ['x', 1, { verdict: 'found', since: '0' }],
  ['.xxx', 1, { verdict: 'found', since: '1' }],
  ['.xx', 3, { verdict: 'undecided' }],
  ['.xxx', 3, { verdict: 'found', since: '1' }],
  ['x.', 1, { verdict: 'undecided' }],
  ['x..', 1, { verdict: 'clear' }],
  ['xxx...', 3, { verdict: 'undecided' }],
  ['xxx....', 3, { verdict: 'clear' }],
  ['', 1, { verdict: 'undecided' }],
])('%s with %i in a row', (text, consecutive, verdict) => {
  expect(judge(text, consecutive)).toEqual(verdict)
})
