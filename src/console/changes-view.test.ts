import { expect, test } from 'vitest'
import type { LedgerEntry } from '../platform/kernel/contract.ts'
import { changeOf } from './changes-view.ts'

function entry(operation: string, facts: Record<string, unknown>, more: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    leaf: 1,
    id: '00000000-0000-7000-8000-000000000001',
    at: '2026-01-01T00:00:00Z',
    actor: { kind: 'user', id: '00000000-0000-7000-8000-000000000002' },
    operation,
    outcome: 'done',
    subjects: [
      { kind: 'release', id: 'r' },
      { kind: 'endpoint', id: 'prod/e' },
      { kind: 'version', id: 'm@2' },
    ],
    facts,
    ...more,
  }
}

const told = (one: LedgerEntry) =>
  changeOf(one)
    ?.parts.map((part) => (typeof part === 'string' ? part : (part.label ?? part.id)))
    .join('')

test('releases are told from their start to their end', () => {
  expect(told(entry('start-release', {}))).toBe('m@2 began its way to prod/e, release')
  expect(told(entry('advance-release', { state: 'canary' }))).toBeUndefined()
  expect(told(entry('advance-release', { state: 'completed' }))).toBe('m@2 serves all of prod/e, release')
  expect(told(entry('rollback-release', { automatic: true, reason: 'errors <b>' }))).toBe(
    'm@2 was rolled back from prod/e, release (by Pave): errors <b>',
  )
})

test('what says nothing new is left out', () => {
  expect(told(entry('raise-finding', { kind: 'drift', feature: 'distance', new: false }))).toBeUndefined()
  expect(told(entry('register-version', { alreadyRegistered: true }))).toBeUndefined()
  expect(told(entry('put-policy', {}, { outcome: 'refused' }))).toBeUndefined()
  expect(told(entry('start-release', {}, { outcome: 'pending' }))).toBeUndefined()
})

test('a refused release is told with its reason', () => {
  const refused = entry('start-release', {}, { outcome: 'refused', errorCode: 'gate_failed' })
  expect(told(refused)).toBe('A release to prod/e was refused: gate failed')
})

test('a manifest is told by what it declares', () => {
  const subjects = [{ kind: 'feature-view', id: 'late-rates' }]
  expect(told(entry('put-feature-view', {}, { subjects }))).toBe('feature view late-rates was declared')
})
