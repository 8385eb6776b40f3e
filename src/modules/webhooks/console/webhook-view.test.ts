import { expect, it } from 'vitest'
import type { Webhook } from '../contract.ts'
import { healthOf } from './webhook-view.ts'

const now = Date.parse('2026-01-01T12:00:00Z')
const webhook: Webhook = {
  webhook: '01900000-0000-7000-8000-00000000000a',
  name: 'bot',
  description: '',
  url: 'https://example.com/hook',
  events: ['prompt.created'],
  state: 'active',
  signed: false,
  failingSince: null,
  failures: 0,
  lastSuccessAt: null,
  queued: 0,
  dead: 0,
  createdAt: '2026-01-01T00:00:00Z',
  changedAt: '2026-01-01T00:00:00Z',
}

it.each([
  [{}, 'nothing sent yet'],
  [{ lastSuccessAt: '2026-01-01T11:00:00Z' }, 'good'],
  [{ failingSince: '2026-01-01T11:50:00Z' }, 'failing'],
  [{ failingSince: '2026-01-01T11:40:00Z', lastSuccessAt: '2026-01-01T11:39:00Z' }, 'failing for long'],
  [{ failingSince: '2026-01-01T11:40:00Z', state: 'disabled' as const }, 'disabled'],
])('a webhook with %o is %s', (given, word) => {
  expect(healthOf({ ...webhook, ...given }, now).word).toBe(word)
})
