import { handle } from '#platform/context.ts'
import { forgetAll } from './authenticate.ts'
import * as contract from './contract.ts'
import { identityFailure, tablesOf } from './tables.ts'

/** Revoking twice answers the first time. Sessions that the token opened end with it. */
export const revokeToken = handle(contract.revokeToken, async (ctx, { token }) => {
  const row = await tablesOf(ctx)
    .updateTable('identity.token')
    .set((eb) => ({
      revoked_at: eb.fn.coalesce('revoked_at', eb.cast<string>(eb.val(ctx.clock.iso()), 'timestamptz')),
    }))
    .where('id', '=', token)
    .returning('revoked_at')
    .executeTakeFirst()
  if (row?.revoked_at == null) throw identityFailure('token_not_found', `There is no token ${token}`)
  await tablesOf(ctx)
    .updateTable('identity.token')
    .set({ revoked_at: row.revoked_at })
    .where('opened_by', '=', token)
    .where('revoked_at', 'is', null)
    .execute()
  ctx.entry.subject('token', token)
  ctx.afterCommit(() => forgetAll())
  return { revokedAt: row.revoked_at }
})
