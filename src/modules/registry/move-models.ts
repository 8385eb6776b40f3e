import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { holdFolders } from '#platform/storage/database/folders.ts'
import * as contract from './contract.ts'
import { registryFailure } from './tables.ts'

/** Where each was is in the answer and in the entry, so that whoever wants can move it back. */
export const moveModels = handle(contract.moveModels, async (ctx, { models, folder }) => {
  await holdFolders(ctx)
  const { rows } = await sql<{ name: string; folder: string }>`
    select name, folder from registry.model where name = any(${models}::text[]) and removed_at is null order by name for update
  `.execute(ctx.db)
  const found = new Set(rows.map(({ name }) => name))
  const absent = models.filter((model) => !found.has(model))
  if (absent.length > 0) throw registryFailure('model_not_found', `There is no model ${absent.slice(0, 10).join(', ')}`)
  const moving = rows.filter((row) => row.folder !== folder)
  await sql`
    update registry.model set folder = ${folder} where name = any(${moving.map(({ name }) => name)}::text[])
  `.execute(ctx.db)
  for (const { name } of moving) ctx.entry.subject('model', name)
  const moved = moving.map(({ name, folder: from }) => ({ model: name, from }))
  ctx.entry.facts({ folder, moved: Object.fromEntries(moved.map(({ model, from }) => [model, from])) })
  return { folder, moved }
})
