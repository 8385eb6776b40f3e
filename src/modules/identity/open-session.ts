import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { storeToken } from './store-token.ts'
import { identityFailure, tablesOf } from './tables.ts'

const longestSeconds = 12 * 3600

/** Never good for longer than the token that opens it, so that no session prolongs itself. */
export const openSession = handle(contract.openSession, async (ctx) => {
  const opener = await tablesOf(ctx)
    .selectFrom('identity.token')
    .select(['id', 'principal', 'expires_at', 'run', 'session'])
    .where('id', '=', ctx.actor.token ?? ctx.operationId)
    .executeTakeFirst()
  if (opener === undefined || opener.run !== null) {
    throw identityFailure('session_refused', 'The token of a run opens no session')
  }
  // It would outlive the token that opened the first one: what that token opened ends with it, and not what those did.
  if (opener.session) throw identityFailure('session_refused', 'A session opens no other session')
  const left = opener.expires_at === null ? longestSeconds : secondsUntil(opener.expires_at, ctx.clock.now())
  return storeToken(ctx, {
    principal: opener.principal,
    name: 'console session',
    expiresIn: Math.min(longestSeconds, left),
    endpoints: [],
    run: null,
    session: { openedBy: opener.id },
  })
})

const secondsUntil = (instant: string, now: number) => Math.max(1, Math.floor((Date.parse(instant) - now) / 1000))
