import { expect, test } from 'vitest'
import type { LedgerEntry } from '#platform/kernel/contract.ts'
import { GatePolicySpec } from '../contract.ts'
import { appliesText, judgementsOf, valueText } from './rule-view.ts'

const rules = [{ name: 'good', check: 'true', message: 'm' }]
const spec = (models: string[], tiers: number[]) => GatePolicySpec.parse({ rules, appliesTo: { models, tiers } })

test('what a policy applies to is told in words', () => {
  expect(appliesText(spec([], []))).toBe('every model')
  expect(appliesText(spec(['a', 'b'], []))).toBe('a, b')
  expect(appliesText(spec([], [1, 2]))).toBe('models of tier 1 or 2')
  expect(appliesText(spec(['a', 'b', 'c', 'd', 'e'], [1]))).toBe('a, b, c and 2 more when of tier 1')
})

test('values are shown as they were seen', () => {
  expect([valueText(0.123456789), valueText(12), valueText(true), valueText(null), valueText('<b>')]).toEqual([
    '0.123457',
    '12',
    'yes',
    'is missing',
    '<b>',
  ])
})

test('judgements are found in refusals, in releases that passed at once, and in what had to be approved', () => {
  const gate = (policy: string, rule: string, passed: boolean) => ({ policy, rule, passed, values: {} })
  const entry = (id: string, at: string, facts: Record<string, unknown> | undefined): LedgerEntry => ({
    leaf: 1,
    id,
    at,
    actor: { kind: 'user', id },
    operation: 'start-release',
    outcome: 'refused',
    subjects: [],
    ...(facts !== undefined && { facts }),
  })
  const refused = { details: { facts: { version: 'm@2', gates: [gate('p', 'good', false), gate('p', 'fair', true)] } } }
  const pending = { id: 'w', requestedAt: '2026-01-02', evidence: { version: 'm@3', gates: [gate('p', 'good', true)] } }
  const entries = [
    entry('a', '2026-01-01', refused),
    entry('b', '2026-01-03', { version: 'm@4', gates: [gate('p', 'good', true)] }),
    entry('c', '2026-01-04', { gates: [gate('q', 'good', false)] }),
    entry('d', '2026-01-05', { gates: 'nonsense' }),
    entry('e', '2026-01-06', undefined),
  ]
  expect(judgementsOf('p', entries, [pending])).toEqual([
    { kind: 'entry', id: 'b', at: '2026-01-03', version: 'm@4', failed: [] },
    { kind: 'pending-operation', id: 'w', at: '2026-01-02', version: 'm@3', failed: [] },
    { kind: 'entry', id: 'a', at: '2026-01-01', version: 'm@2', failed: ['good'] },
  ])
})
