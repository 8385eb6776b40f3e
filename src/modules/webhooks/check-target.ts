import { PaveError } from '#platform/errors.ts'
import type { Platform } from '#platform/platform.ts'
import { planDeliveries, queueDeliveries, recordAttempt } from './contract.ts'
import { webhooksFailure } from './tables.ts'

/** Following these, a webhook would tell of its own deliveries without end. */
const ownWork = new Set([queueDeliveries.name, recordAttempt.name, planDeliveries.name])

/**
 * Refuses what can be known to be wrong before anything is stored; the address is looked at anew for each delivery.
 *
 * @throws `webhook_event_unknown`, `egress_url_invalid`, `egress_address_refused`, `webhook_host_unknown`
 */
export async function checkTarget(
  platform: Platform,
  { url, events = [] }: { url?: string | undefined; events?: readonly string[] | undefined },
): Promise<void> {
  for (const event of events) {
    const name = /^operation\.(.*)$/.exec(event)?.[1]
    if (name === undefined) continue
    const operation = platform.operations.get(name)
    if (operation === undefined) throw webhooksFailure('webhook_event_unknown', `Pave has no operation ${name}`)
    if (ownWork.has(name) || (operation.effect === 'read' && operation.recorded !== true)) {
      throw webhooksFailure('webhook_event_unknown', `No webhook may follow ${name}`)
    }
  }
  if (url !== undefined) await platform.services.egress.check(url).catch(unknownHost)
}

function unknownHost(error: unknown): never {
  if (!(error instanceof PaveError) || error.code !== 'egress_unreachable') throw error
  throw webhooksFailure('webhook_host_unknown', error.message, { cause: error })
}
