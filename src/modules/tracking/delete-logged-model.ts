import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { requireLoggedModel } from './describe-logged-models.ts'

/** What runs and versions say of it stays. */
export const deleteLoggedModel = handle(contract.deleteLoggedModel, async (ctx, { loggedModel }) => {
  const before = await requireLoggedModel(ctx.db, loggedModel)
  await sql`update tracking.logged_model set removed_at = ${ctx.clock.iso()} where id = ${before.id}`.execute(ctx.db)
  ctx.entry.subject('logged-model', loggedModel)
  ctx.entry.before(before)
  return { removed: true }
})
