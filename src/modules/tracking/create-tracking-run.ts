import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { describeRun } from './describe-runs.ts'
import { openExperiment } from './open-experiment.ts'
import { type RunRow, runColumns } from './tables.ts'

export const createTrackingRun = handle(contract.createTrackingRun, async (ctx, input) => {
  const id = ctx.ids.next()
  const insert = () =>
    sql<RunRow>`
      insert into tracking.run (workspace, id, experiment, name, status, state, started_at, author, tags)
      select ${ctx.workspace}::uuid, ${id}::uuid, experiment.id, ${input.name ?? `run-${id.slice(-8)}`}, 'running', 'active',
             ${input.startedAt ?? ctx.clock.iso()}::timestamptz, ${ctx.actor.onBehalfOf ?? ctx.actor.id},
             ${JSON.stringify(input.tags)}::jsonb
      from tracking.experiment where experiment.id = ${Number(input.experiment)} and experiment.state = 'active'
      returning ${runColumns}
    `.execute(ctx.db)
  let [row] = (await insert()).rows
  if (row === undefined) {
    await openExperiment(ctx, input.experiment)
    row = (await insert()).rows[0]
  }
  if (row === undefined) throw new Error('an experiment that is open takes runs')
  ctx.entry.subject('run', id)
  ctx.entry.subject('experiment', input.experiment)
  // It has nothing yet that would have to be asked for.
  return describeRun(ctx.db, row, ['tags'])
})
