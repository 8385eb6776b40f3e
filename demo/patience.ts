import { setTimeout as pause } from 'node:timers/promises'
import { PaveError } from '../src/platform/errors.ts'

const passing = new Set(['unreachable', 'database_unavailable', 'rate_limited', 'analytics_busy'])

/**
 * Repeats what failed only because something was being restarted. Everything that the demo repeats is idempotent: reads,
 * puts, batches with an id, writes with an idempotency key.
 */
export async function patiently<T>(attempt: () => Promise<T>, patienceMs = 60_000): Promise<T> {
  const until = performance.now() + patienceMs
  for (let delay = 50; ; delay = Math.min(delay * 2, 2_000)) {
    try {
      return await attempt()
    } catch (error) {
      const mayPass = error instanceof PaveError && (passing.has(error.code) || error.status === 503)
      if (!mayPass || performance.now() > until) throw error
      await pause(delay)
    }
  }
}
