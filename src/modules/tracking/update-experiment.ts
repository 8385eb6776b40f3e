import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { openExperiment } from './open-experiment.ts'
import { requireRestorable, stateColumns } from './remove.ts'
import { type ExperimentRow, experimentOf, findExperiment, trackingFailure } from './tables.ts'

export const updateExperiment = handle(contract.updateExperiment, async (ctx, input) => {
  const { experiment, name, state, tags, removeTags } = input
  const id = Number(experiment)
  const before = await findExperiment(ctx.db, id)
  if (before === undefined) await openExperiment(ctx, experiment)
  if (name !== undefined) {
    const { rows } = await sql`select 1 from tracking.experiment where name = ${name} and id <> ${id}`.execute(ctx.db)
    if (rows.length > 0) throw trackingFailure('experiment_exists', `There is an experiment named ${name}`)
  }
  if (state === 'active') await requireRestorable(ctx.db, 'experiment', id)
  const { rows } = await sql<ExperimentRow>`
    update tracking.experiment set
      name = coalesce(${name ?? null}, name),
      tags = (tags || ${JSON.stringify(tags)}::jsonb) - ${removeTags}::text[],
      ${stateColumns(ctx, state)},
      updated_at = ${ctx.clock.iso()}
    where id = ${id}
    returning id, name, state, tags, created_at, updated_at
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw new Error('an experiment that was just read is there')
  const after = experimentOf(row)
  ctx.entry.subject('experiment', experiment)
  if (before !== undefined) ctx.entry.before(experimentOf(before))
  ctx.entry.after(after)
  return after
})
