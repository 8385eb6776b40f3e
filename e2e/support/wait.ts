import { setTimeout as pause } from 'node:timers/promises'

/** Looks until it sees something that is true, and answers it; the test's own time-out ends it. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  everyMs = 25,
): Promise<Exclude<T, false | undefined | null>> {
  for (;;) {
    const seen = await look()
    if (isThere(seen)) return seen
    await pause(everyMs)
  }
}

function isThere<T>(value: T): value is Exclude<T, false | undefined | null> {
  return value !== false && value !== undefined && value !== null
}
