/** An event that a receiver did not take in so many attempts, about 17 minutes, is given up. */
export const mostTries = 10
/** Whatever waited so long behind others is given up at the next failure. */
export const oldestMs = 3 * 86_400_000

const firstDelayMs = 2_000
const longestDelayMs = 15 * 60_000

/** Twice as long after each failure; `chance` from 0 to 1 spreads what failed together by half of it. */
export function delayMs(failures: number, chance: number): number {
  const delay = Math.min(longestDelayMs, firstDelayMs * 2 ** (Math.max(1, failures) - 1))
  return Math.round(delay * (0.75 + chance / 2))
}

/** Any other answer is about the one event: those behind it are not held up. */
const awayStatuses = new Set([408, 429, 502, 503, 504])

/** Whether a receiver takes nothing at all now, so that everything waits and stays in its order. */
export const isAway = (status: number | null): boolean => status === null || awayStatuses.has(status)

export const isSuccess = (status: number | null): boolean => status !== null && status >= 200 && status < 300
