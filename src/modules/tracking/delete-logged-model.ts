import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { requireLoggedModel } from './describe-logged-models.ts'
import * as contract from './trash-contract.ts'

/** What runs and versions say of it stays, and it can be restored until it is purged. */
export const deleteLoggedModel = handle(contract.deleteLoggedModel, async (ctx, { loggedModel }) => {
  const before = await requireLoggedModel(ctx.db, loggedModel)
  await sql`
    update tracking.logged_model set removed_at = ${ctx.clock.iso()}, removed_by = ${ctx.actor.onBehalfOf ?? ctx.actor.id}
    where id = ${before.id}
  `.execute(ctx.db)
  ctx.entry.subject('logged-model', loggedModel)
  ctx.entry.before(before)
  return { removed: true }
})
