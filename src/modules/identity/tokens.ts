import { createHash } from 'node:crypto'
import type { Ids } from '#platform/ids.ts'

/** `pave_`, the token's id without dashes, and 32 random bytes: greppable in a leak, and never stored. */
export function newToken(ids: Ids): { id: string; token: string; hash: string } {
  const id = ids.next()
  const token = `pave_${id.replaceAll('-', '')}_${ids.secret()}`
  return { id, token, hash: hashOf(token) }
}

/** Hex sha256: tokens have 256 random bits, so a slow hash would protect nothing. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
