import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { describeLoggedModel, type LoggedModelRow, loggedModelColumns } from './describe-logged-models.ts'
import { trackingFailure, uuidOfLoggedModel } from './tables.ts'
import * as contract from './trash-contract.ts'

export const restoreLoggedModel = handle(contract.restoreLoggedModel, async (ctx, { loggedModel }) => {
  const { rows } = await sql<LoggedModelRow & { purging: boolean }>`
    update tracking.logged_model set
      removed_at = case when purging then removed_at end,
      removed_by = case when purging then removed_by end
    where id = ${uuidOfLoggedModel(loggedModel)}
    returning ${loggedModelColumns}, purging
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw trackingFailure('logged_model_not_found', `There is no logged model ${loggedModel}`)
  const { purging, ...model } = row
  if (purging) throw trackingFailure('being_purged', `The logged model ${loggedModel} is being purged`)
  ctx.entry.subject('logged-model', loggedModel)
  ctx.entry.after(model)
  return describeLoggedModel(ctx.db, model)
})
