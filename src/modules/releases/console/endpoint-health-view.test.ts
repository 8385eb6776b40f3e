import { expect, test } from 'vitest'
import { byUrgency, healthOf, shareOfErrors } from './endpoint-health-view.ts'

const quiet = { open: 0, unmitigated: 0 }
const recent = {
  watermark: '2026-01-02T00:00:00Z',
  spanMs: 86_400_000,
  rows: 1000,
  errors: 0,
  fallbacks: 0,
  latencyMs: { p50: 2, p99: 9 },
  hours: [],
}
const endpoint = {
  version: 'm@1',
  traffic: [{ version: 'm@1', variant: 'primary', weight: 10_000 }],
  release: null,
  nodes: { total: 2, current: 2, failing: 0, overridden: 0, lag: 0 },
  openFindings: 0,
  limits: { errorRate: 0.01, latencyP99Ms: 50 },
  recent,
}
const release = {
  id: '00000000-0000-7000-8000-000000000001',
  version: 'm@2',
  state: 'canary' as const,
  weight: 500,
  startedAt: '2026-01-02T00:00:00Z',
}

test('an endpoint that answers within its limits is healthy', () => {
  expect(healthOf(endpoint, quiet)).toEqual({ tone: 'good', word: 'healthy', reasons: [] })
  expect(healthOf({ ...endpoint, release }, quiet)).toMatchObject({ tone: 'busy' })
})

test('what is beyond a declared limit is trouble; without a limit nothing is claimed', () => {
  const failing = { ...endpoint, recent: { ...recent, errors: 10, fallbacks: 10 } }
  expect(healthOf(failing, quiet)).toMatchObject({ tone: 'bad', reasons: ['errors above the limit'] })
  expect(healthOf({ ...failing, limits: { errorRate: null, latencyP99Ms: null } }, quiet).tone).toBe('good')
  const slow = { ...endpoint, recent: { ...recent, latencyMs: { p50: 2, p99: 51 } } }
  expect(healthOf(slow, quiet)).toMatchObject({ tone: 'bad', reasons: ['latency above the limit'] })
})

test('a few rows say nothing', () => {
  const few = { ...recent, rows: 20, errors: 20 }
  expect(shareOfErrors(few)).toBeNull()
  expect(healthOf({ ...endpoint, recent: few }, quiet).tone).toBe('good')
})

test('every reason is told, the gravest first', () => {
  const nodes = { total: 3, current: 1, failing: 1, overridden: 1, lag: 2 }
  expect(healthOf({ ...endpoint, nodes, openFindings: 2 }, { open: 2, unmitigated: 1 })).toEqual({
    tone: 'bad',
    word: 'in trouble',
    reasons: [
      '1 not mitigated incident',
      '1 node cannot load a version',
      '1 open incident, mitigated',
      'override on 1 node',
      '2 nodes behind the serving plan',
      '2 open findings',
    ],
  })
})

test('before the first release and the first request it says so', () => {
  const nothing = { ...endpoint, version: null, traffic: [], recent: null }
  expect(healthOf(nothing, quiet).word).toBe('not released')
  expect(healthOf({ ...endpoint, recent: null }, quiet).word).toBe('no requests yet')
})

test('trouble comes first', () => {
  const row = (name: string, tone: 'good' | 'bad' | 'warn') => ({ name, health: { tone, word: '', reasons: [] } })
  const rows = [row('b', 'good'), row('a', 'good'), row('z', 'bad'), row('y', 'warn')]
  expect(byUrgency(rows).map(({ name }) => name)).toEqual(['z', 'y', 'a', 'b'])
})
