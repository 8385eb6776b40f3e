import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { releasesFailure } from './tables.ts'

/** Revoking twice answers the first time. */
export const revokeJoinToken = handle(contract.revokeJoinToken, async (ctx, { joinToken }) => {
  const { rows } = await sql<{ revoked_at: string }>`
    update releases.join_token set revoked_at = coalesce(revoked_at, ${ctx.clock.iso()}::timestamptz)
    where id = ${joinToken} returning revoked_at
  `.execute(ctx.db)
  if (rows[0] === undefined) throw releasesFailure('join_token_not_found', `There is no join token ${joinToken}`)
  ctx.entry.subject('join-token', joinToken)
  return { revokedAt: rows[0].revoked_at }
})
