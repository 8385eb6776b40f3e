import { handle } from '#platform/context.ts'
import { forgetAll } from './authenticate.ts'
import * as contract from './contract.ts'
import { tablesOf } from './tables.ts'

/** Ends the session that asks; an API token is no session and stays. */
export const closeSession = handle(contract.closeSession, async (ctx) => {
  const closed = await tablesOf(ctx)
    .updateTable('identity.token')
    .set({ revoked_at: ctx.clock.iso() })
    .where('id', '=', ctx.actor.token ?? ctx.operationId)
    .where('session', '=', true)
    .where('revoked_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  if (closed !== undefined) ctx.entry.subject('token', closed.id)
  ctx.afterCommit(() => forgetAll())
  return { closed: closed !== undefined }
})
