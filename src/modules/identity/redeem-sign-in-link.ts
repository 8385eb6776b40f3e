import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { storeToken } from './store-token.ts'
import { identityFailure, tablesOf } from './tables.ts'
import { hashOf } from './tokens.ts'

const sessionSeconds = 12 * 3600

/** The update is the check: of two redeemers at once, one finds the link unused. */
export const redeemSignInLink = handle(contract.redeemSignInLink, async (ctx, { code }) => {
  const link = await tablesOf(ctx)
    .updateTable('identity.sign_in_link')
    .set({ used_at: ctx.clock.iso() })
    .where('hash', '=', hashOf(code))
    .where('used_at', 'is', null)
    .where('expires_at', '>', ctx.clock.iso())
    .returning('principal')
    .executeTakeFirst()
  if (link === undefined) throw identityFailure('sign_in_link_invalid', 'This sign-in link was used or has expired')
  return storeToken(ctx, {
    principal: link.principal,
    name: 'console session',
    expiresIn: sessionSeconds,
    endpoints: [],
    run: null,
    session: { openedBy: null },
  })
})
