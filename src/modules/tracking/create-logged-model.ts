import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { describeLoggedModel, type LoggedModelRow, loggedModelColumns } from './describe-logged-models.ts'
import { openExperiment } from './open-experiment.ts'
import { loggedModelId, requireRun } from './tables.ts'

export const createLoggedModel = handle(contract.createLoggedModel, async (ctx, input) => {
  const experiment = await openExperiment(ctx, input.experiment)
  const { run, type, params, tags } = input
  if (run !== undefined) await requireRun(ctx.db, run)
  const id = ctx.ids.next()
  const now = ctx.clock.iso()
  const { rows } = await sql<LoggedModelRow>`
    insert into tracking.logged_model
      (workspace, id, experiment, run, name, type, status, params, tags, created_at, updated_at)
    values (${ctx.workspace}, ${id}, ${experiment}, ${run ?? null}, ${input.name ?? `model-${id.slice(-8)}`}, ${type},
            'pending', ${JSON.stringify(params)}::jsonb, ${JSON.stringify(tags)}::jsonb, ${now}, ${now})
    returning ${loggedModelColumns}
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw new Error('an insert answers its row')
  ctx.entry.subject('logged-model', loggedModelId(id))
  ctx.entry.output('logged-model', loggedModelId(id))
  if (run !== undefined) ctx.entry.input('run', run)
  return describeLoggedModel(ctx.db, row)
})
