import { z } from 'zod'
import type { SeenCheckpoint } from './verify-proof.ts'

const key = 'pave.ledger.seen'
const Seen = z.object({ origin: z.string(), size: z.int(), root: z.string(), key: z.string() })

/** The newest checkpoint that this browser has verified; undefined before the first. */
export function seenCheckpoint(): SeenCheckpoint | undefined {
  try {
    return Seen.parse(JSON.parse(localStorage.getItem(key) ?? ''))
  } catch {
    return undefined
  }
}

export function rememberCheckpoint(seen: SeenCheckpoint): void {
  try {
    localStorage.setItem(key, JSON.stringify(seen))
  } catch {
    // A browser that keeps nothing compares nothing; the proof is as good.
  }
}

/** Trusts the key that is published now: what was seen before is of another ledger. */
export function forgetCheckpoint(): void {
  localStorage.removeItem(key)
}
