import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { holdFolders } from '#platform/storage/database/folders.ts'
import * as contract from './contract.ts'
import { openExperiment } from './open-experiment.ts'
import { requireRestorable, stateColumns } from './remove.ts'
import { type ExperimentRow, experimentColumns, experimentOf, findExperiment, trackingFailure } from './tables.ts'

export const updateExperiment = handle(contract.updateExperiment, async (ctx, input) => {
  const { experiment, name, folder, state, tags, removeTags } = input
  if (folder !== undefined) await holdFolders(ctx)
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
      folder = coalesce(${folder ?? null}, folder),
      tags = (tags || ${JSON.stringify(tags)}::jsonb) - ${removeTags}::text[],
      ${stateColumns(ctx, state)},
      updated_at = ${ctx.clock.iso()}
    where id = ${id}
    returning ${experimentColumns}
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw new Error('an experiment that was just read is there')
  const after = experimentOf(row)
  ctx.entry.subject('experiment', experiment)
  if (before !== undefined) ctx.entry.before(experimentOf(before))
  if (after.folder !== (before?.folder ?? '')) {
    ctx.entry.facts({ folder: { from: before?.folder ?? '', to: after.folder } })
  }
  ctx.entry.after(after)
  return after
})
