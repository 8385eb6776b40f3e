import { hash } from 'node:crypto'
import { sql } from 'kysely'
import type { Platform } from '#platform/platform.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { releasesFailure } from './tables.ts'

/** The secret has 256 random bits, so a slow hash would protect nothing. */
export const hashOfSecret = (secret: string): string => hash('sha256', secret, 'hex')

/** @throws `join_token_unknown` */
export async function workspaceOfJoinToken(platform: Platform, secret: string): Promise<string> {
  const { rows } = await sql<{ workspace: string }>`
    select workspace from releases.join_token where hash = ${hashOfSecret(secret)}
  `.execute(platform.system)
  if (rows[0] === undefined) throw releasesFailure('join_token_unknown', 'This join token is unknown here')
  return rows[0].workspace
}

/**
 * Takes one use of a join token; the update is the check, so that of two at once one gets the last use.
 *
 * @throws `join_token_unknown`, `join_token_revoked`, `join_token_expired`, `join_token_used_up`
 */
export async function takeJoinToken(db: Db, secret: string, now: string): Promise<{ id: string; environment: string }> {
  const taken = await sql<{ id: string; environment: string }>`
    update releases.join_token set used = used + 1
    where hash = ${hashOfSecret(secret)} and revoked_at is null and expires_at > ${now} and used < uses
    returning id, environment
  `.execute(db)
  if (taken.rows[0] !== undefined) return taken.rows[0]
  const { rows } = await sql<{ revoked_at: string | null; expires_at: string; expired: boolean }>`
    select revoked_at, expires_at, expires_at <= ${now} as expired
    from releases.join_token where hash = ${hashOfSecret(secret)}
  `.execute(db)
  const token = rows[0]
  if (token === undefined) throw releasesFailure('join_token_unknown', 'This join token is unknown here')
  if (token.revoked_at !== null) {
    throw releasesFailure('join_token_revoked', `This join token was revoked at ${token.revoked_at}`)
  }
  if (token.expired) throw releasesFailure('join_token_expired', `This join token expired at ${token.expires_at}`)
  throw releasesFailure('join_token_used_up', 'As many nodes as may have joined with this token')
}
