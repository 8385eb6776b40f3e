import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { describeRun } from './describe-runs.ts'
import { openExperiment } from './open-experiment.ts'
import { type RunRow, runColumns } from './tables.ts'

export const createTrackingRun = handle(contract.createTrackingRun, async (ctx, input) => {
  const experiment = await openExperiment(ctx, input.experiment)
  const id = ctx.ids.next()
  const { rows } = await sql<RunRow>`
    insert into tracking.run (workspace, id, experiment, name, status, state, started_at, author, tags)
    values (${ctx.workspace}, ${id}, ${experiment}, ${input.name ?? `run-${id.slice(-8)}`}, 'running', 'active',
            ${input.startedAt ?? ctx.clock.iso()}, ${ctx.actor.onBehalfOf ?? ctx.actor.id}, ${JSON.stringify(input.tags)}::jsonb)
    returning ${runColumns}
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw new Error('an insert answers its row')
  ctx.entry.subject('run', id)
  ctx.entry.subject('experiment', input.experiment)
  // It has nothing yet that would have to be asked for.
  return describeRun(ctx.db, row, ['tags'])
})
