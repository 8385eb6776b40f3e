/** Where the time comes from, so that tests can pass their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** The same instant as ISO 8601 in UTC. */
  iso(): string
}

export const systemClock: Clock = {
  now: () => Date.now(),
  iso: () => new Date().toISOString(),
}

export function fixedClock(at: string): Clock & { advance(ms: number): void } {
  let now = Date.parse(at)
  return {
    now: () => now,
    iso: () => new Date(now).toISOString(),
    advance: (ms) => {
      now += ms
    },
  }
}
