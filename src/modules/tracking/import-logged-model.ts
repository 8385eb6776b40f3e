import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { describeLoggedModel, type LoggedModelRow, loggedModelColumns } from './describe-logged-models.ts'
import * as contract from './import-contract.ts'
import { findExperiment, requireRun, trackingFailure, uuidOfLoggedModel } from './tables.ts'

/** One that is there is brought up to date. */
export const importLoggedModel = handle(contract.importLoggedModel, async (ctx, input) => {
  const { loggedModel, experiment, run, name, type, status, params, tags, createdAt, updatedAt } = input
  if ((await findExperiment(ctx.db, Number(experiment))) === undefined) {
    throw trackingFailure('experiment_not_found', `There is no experiment ${experiment}`)
  }
  if (run !== null) await requireRun(ctx.db, run)
  const { rows } = await sql<LoggedModelRow>`
    insert into tracking.logged_model as model
      (workspace, id, experiment, run, name, type, status, params, tags, created_at, updated_at)
    values (${ctx.workspace}, ${uuidOfLoggedModel(loggedModel)}, ${Number(experiment)}, ${run}, ${name}, ${type},
            ${status}, ${JSON.stringify(params)}::jsonb, ${JSON.stringify(tags)}::jsonb, ${createdAt}, ${updatedAt})
    on conflict (workspace, id) do update
      set status = excluded.status, params = excluded.params, tags = excluded.tags, updated_at = excluded.updated_at
      where model.experiment = excluded.experiment
    returning ${loggedModelColumns}
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) {
    throw trackingFailure('logged_model_elsewhere', `${loggedModel} is in another experiment than ${experiment}`)
  }
  ctx.entry.subject('logged-model', loggedModel)
  ctx.entry.output('logged-model', loggedModel)
  if (run !== null) ctx.entry.input('run', run)
  return describeLoggedModel(ctx.db, row)
})
