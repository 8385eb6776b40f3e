import { expect, test } from 'vitest'
import { kindOf, stateOf, timesOf } from './incident-view.ts'

test('an incident is worst while nobody has mitigated it', () => {
  expect(stateOf({ state: 'open', mitigatedAt: null })).toEqual({ tone: 'bad', word: 'not mitigated' })
  expect(stateOf({ state: 'open', mitigatedAt: '2026-01-01T00:01:00Z' }).word).toBe('mitigated')
  expect(stateOf({ state: 'resolved', mitigatedAt: '2026-01-01T00:01:00Z' }).tone).toBe('good')
})

test('times count from when it was opened', () => {
  const openedAt = '2026-01-01T00:00:00Z'
  expect(timesOf({ openedAt, mitigatedAt: '2026-01-01T00:01:00Z', resolvedAt: null })).toEqual({
    mitigated: 60_000,
    resolved: undefined,
  })
})

test('a timeline tells changes from harm and from relief', () => {
  const kind = (what: string, outcome: 'done' | 'refused' = 'done', facts = {}) => kindOf({ what, outcome, facts })
  expect(['start-release', 'put-feature-view', 'register-version'].map((what) => kind(what))).toEqual(
    Array.from({ length: 3 }, () => 'change'),
  )
  expect(kind('open-incident')).toBe('harm')
  expect(kind('raise-finding', 'done', { severity: 'high' })).toBe('harm')
  expect(kind('raise-finding', 'done', { severity: 'low' })).toBe('other')
  expect(kind('rollback-release')).toBe('relief')
  expect(kind('rollback-release', 'refused')).toBe('other')
  expect(kind('comment')).toBe('comment')
})
