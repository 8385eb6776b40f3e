import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { holdFolders } from '#platform/storage/database/folders.ts'
import * as contract from './contract.ts'
import { defaultExperimentName } from './default-experiment.ts'
import { type ExperimentRow, experimentColumns, experimentOf, trackingFailure } from './tables.ts'

export const createExperiment = handle(contract.createExperiment, async (ctx, { name, folder, tags }) => {
  if (folder !== '') await holdFolders(ctx)
  // Ids count up in each workspace, so two experiments made at once must take turns.
  await sql`select pg_advisory_xact_lock(hashtextextended('tracking.experiment' || ${ctx.workspace}, 0))`.execute(
    ctx.db,
  )
  const now = ctx.clock.iso()
  const { rows } = await sql<ExperimentRow>`
    insert into tracking.experiment (workspace, id, name, folder, state, tags, created_at, updated_at)
    select ${ctx.workspace}, (
      select coalesce(max(id), 0) + 1 from (
        select id from tracking.experiment union all select id from tracking.purged_experiment
      ) taken
    ), ${name}, ${folder}, 'active',
           ${JSON.stringify(tags)}::jsonb, ${now}, ${now}
    where ${name} <> ${defaultExperimentName}
    on conflict (workspace, name) do nothing
    returning ${experimentColumns}
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw trackingFailure('experiment_exists', `There is an experiment named ${name}`)
  ctx.entry.subject('experiment', String(row.id))
  return experimentOf(row)
})
