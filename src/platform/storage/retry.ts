import { setTimeout as pause } from 'node:timers/promises'

/** Whether an error will pass by itself, and for how long to try. */
export interface Patience {
  /** From the first attempt to the last; the wait between them doubles from `firstWaitMs` to 2 s. */
  totalMs: number
  firstWaitMs: number
  passes(error: unknown): boolean
}

const longestWaitMs = 2000

/** Tries until it succeeds, fails for good, or patience is at an end: then the last failure is the answer. */
export async function retry<T>({ totalMs, firstWaitMs, passes }: Patience, attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + totalMs
  for (let wait = firstWaitMs; ; wait = Math.min(2 * wait, longestWaitMs)) {
    try {
      return await attempt()
    } catch (error) {
      if (!passes(error) || performance.now() + wait > end) throw error
    }
    await pause(wait)
  }
}
