import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { FolderPath, folderTag } from '#platform/names.ts'
import { holdFolders } from '#platform/storage/database/folders.ts'
import * as contract from './import-contract.ts'
import { type ExperimentRow, experimentColumns, experimentOf } from './tables.ts'

/** Importing again, or from several servers that name their experiments alike, adds to what is there. */
export const importExperiment = handle(contract.importExperiment, async (ctx, input) => {
  const { name, createdAt, updatedAt } = input
  const { [folderTag]: path = '', ...tags } = input.tags
  const folder = FolderPath.parse(path)
  if (folder !== '') await holdFolders(ctx)
  // Ids count up in each workspace, so two experiments made at once must take turns.
  await sql`select pg_advisory_xact_lock(hashtextextended('tracking.experiment' || ${ctx.workspace}, 0))`.execute(
    ctx.db,
  )
  const wanted = input.experiment === undefined ? null : Number(input.experiment)
  const { rows } = await sql<ExperimentRow>`
    insert into tracking.experiment (workspace, id, name, folder, state, tags, created_at, updated_at)
    select ${ctx.workspace},
           (select case when ${wanted}::int is not null and not bool_or(id = ${wanted}::int) is true then ${wanted}::int
                   else coalesce(max(id), 0) + 1 end from tracking.experiment),
           ${name}, ${folder}, 'active', ${JSON.stringify(tags)}::jsonb, ${createdAt}, ${updatedAt}
    on conflict (workspace, name) do update set
      tags = excluded.tags || experiment.tags,
      folder = case experiment.folder when '' then excluded.folder else experiment.folder end
    returning ${experimentColumns}
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw new Error('an insert answers its row')
  ctx.entry.subject('experiment', String(row.id))
  ctx.entry.facts({ name })
  return experimentOf(row)
})
