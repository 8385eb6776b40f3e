import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { describeRun } from './describe-runs.ts'
import * as contract from './import-contract.ts'
import { findExperiment, type RunRow, requireRun, runColumns, trackingFailure } from './tables.ts'

/** A run that is there is brought up to date, and takes data again if it was deleted. */
export const importTrackingRun = handle(contract.importTrackingRun, async (ctx, input) => {
  const { run, experiment, name, status, startedAt, endedAt } = input
  if ((await findExperiment(ctx.db, Number(experiment))) === undefined) {
    throw trackingFailure('experiment_not_found', `There is no experiment ${experiment}`)
  }
  const { rows } = await sql<RunRow>`
    insert into tracking.run as run (workspace, id, experiment, name, status, state, started_at, ended_at, author, tags)
    values (${ctx.workspace}, ${run}, ${Number(experiment)}, ${name}, ${status}, 'active', ${startedAt}, ${endedAt},
            ${ctx.actor.onBehalfOf ?? ctx.actor.id}, '{}')
    on conflict (workspace, id) do update
      set name = excluded.name, status = excluded.status, state = 'active', ended_at = excluded.ended_at
      where run.experiment = excluded.experiment
    returning ${runColumns}
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) {
    const other = await requireRun(ctx.db, run)
    throw trackingFailure('tracking_run_elsewhere', `The run ${run} is in experiment ${other.experiment} already`)
  }
  ctx.entry.subject('run', run)
  ctx.entry.subject('experiment', experiment)
  return describeRun(ctx.db, row)
})
