import type { TestPlatform } from './platform.ts'

/** Seals the ledger, so that subscribers move on, until `look` answers something; the test's own time-out ends it. */
export async function until<T>(test: TestPlatform, look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    await test.controlPlane.flushLedger()
    const seen = await look()
    if (seen !== undefined) return seen
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
