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

test('judgements are those entries in which the policy was asked', () => {
  const entry = (id: string, facts: Record<string, unknown> | undefined): LedgerEntry => ({
    leaf: 1,
    id,
    at: '2026-01-01T00:00:00.000Z',
    actor: { kind: 'user', id },
    operation: 'start-release',
    outcome: 'refused',
    subjects: [{ kind: 'version', id: 'm@1' }],
    ...(facts !== undefined && { facts }),
  })
  const gate = (policy: string, rule: string, passed: boolean) => ({ policy, rule, passed, values: {} })
  expect(
    judgementsOf('p', [
      entry('a', { gates: [gate('p', 'good', false), gate('p', 'fair', true), gate('q', 'other', false)] }),
      entry('b', { gates: [gate('q', 'good', false)] }),
      entry('c', { gates: 'nonsense' }),
      entry('d', undefined),
    ]),
  ).toEqual([{ entry: 'a', at: '2026-01-01T00:00:00.000Z', version: 'm@1', outcome: 'refused', failed: ['good'] }])
})
