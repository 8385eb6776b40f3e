import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import {
  describeLoggedModel,
  type LoggedModelRow,
  loggedModelColumns,
  requireLoggedModel,
} from './describe-logged-models.ts'
import { trackingFailure } from './tables.ts'

export const updateLoggedModel = handle(contract.updateLoggedModel, async (ctx, input) => {
  const { loggedModel, status, params, tags, removeTags } = input
  const before = await requireLoggedModel(ctx.db, loggedModel)
  const changed = Object.keys(params).filter((key) => (before.params[key] ?? params[key]) !== params[key])
  if (changed.length > 0) {
    throw trackingFailure('param_changed', `${loggedModel} has other values of ${changed.join(', ')} already`)
  }
  const { rows } = await sql<LoggedModelRow>`
    update tracking.logged_model set
      status = coalesce(${status ?? null}, status),
      params = params || ${JSON.stringify(params)}::jsonb,
      tags = (tags || ${JSON.stringify(tags)}::jsonb) - ${removeTags}::text[],
      updated_at = ${ctx.clock.iso()}
    where id = ${before.id}
    returning ${loggedModelColumns}
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw new Error('a logged model that was just read is there')
  ctx.entry.subject('logged-model', loggedModel)
  ctx.entry.before(before)
  ctx.entry.after(row)
  ctx.entry.facts({ status: row.status })
  return describeLoggedModel(ctx.db, row)
})
