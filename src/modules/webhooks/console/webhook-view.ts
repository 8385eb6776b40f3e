import { openIncident, resolveIncident } from '#modules/incidents/contract.ts'
import { raiseFinding } from '#modules/monitoring/contract.ts'
import { rollbackRelease, startRelease } from '#modules/releases/contract.ts'
import { approve } from '#platform/kernel/contract.ts'
import type { Tone } from '../../../console/design/state.tsx'
import { type Delivery, registryEvents, type Webhook } from '../contract.ts'

/** Offered where events are chosen; any other operation may be typed. */
export const offeredEvents: readonly { group: string; items: readonly string[] }[] = [
  { group: 'Models and prompts', items: registryEvents },
  {
    group: 'Operations of the ledger',
    items: [startRelease, rollbackRelease, openIncident, resolveIncident, raiseFinding, approve].map(
      ({ name }) => `operation.${name}`,
    ),
  },
]

/** After so long without a success, a receiver needs somebody. */
const longMs = 15 * 60_000

export function healthOf({ state, failingSince, lastSuccessAt }: Webhook, now: number): { tone: Tone; word: string } {
  if (state === 'disabled') return { tone: 'idle', word: 'disabled' }
  if (failingSince !== null) {
    return now - Date.parse(failingSince) > longMs
      ? { tone: 'bad', word: 'failing for long' }
      : { tone: 'warn', word: 'failing' }
  }
  return lastSuccessAt === null ? { tone: 'idle', word: 'nothing sent yet' } : { tone: 'good', word: 'good' }
}

export const deliveryTones: Record<Delivery['state'], Tone> = { queued: 'busy', delivered: 'good', dead: 'bad' }

export const deliveryWords: Record<Delivery['state'], string> = {
  queued: 'waits',
  delivered: 'delivered',
  dead: 'given up',
}
