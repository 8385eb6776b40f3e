import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { holdFolders } from '#platform/storage/database/folders.ts'
import * as contract from './contract.ts'
import { openExperiment } from './open-experiment.ts'
import { findExperiment, trackingFailure } from './tables.ts'

/** Where each was is in the answer and in the entry, so that whoever wants can move it back. */
export const moveExperiments = handle(contract.moveExperiments, async (ctx, { experiments, folder }) => {
  await holdFolders(ctx)
  const unmade = experiments.includes('0') && (await findExperiment(ctx.db, 0)) === undefined
  if (unmade) await openExperiment(ctx, '0')
  const ids = [...new Set(experiments)].map(Number)
  const { rows } = await sql<{ id: number; folder: string }>`
    select id, folder from tracking.experiment where id = any(${ids}::int[]) order by id for update
  `.execute(ctx.db)
  const found = new Set(rows.map(({ id }) => id))
  const absent = ids.filter((id) => !found.has(id))
  if (absent.length > 0) {
    throw trackingFailure('experiment_not_found', `There is no experiment ${absent.slice(0, 10).join(', ')}`)
  }
  const moving = rows.filter((row) => row.folder !== folder)
  await sql`
    update tracking.experiment set folder = ${folder} where id = any(${moving.map(({ id }) => id)}::int[])
  `.execute(ctx.db)
  for (const { id } of moving) ctx.entry.subject('experiment', String(id))
  const moved = moving.map(({ id, folder: from }) => ({ experiment: String(id), from }))
  ctx.entry.facts({ folder, moved: Object.fromEntries(moved.map(({ experiment, from }) => [experiment, from])) })
  return { folder, moved }
})
