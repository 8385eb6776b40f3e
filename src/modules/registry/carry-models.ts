import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { lockFolders, withinFolder } from '#platform/storage/database/folders.ts'
import * as contract from './contract.ts'

export const carryModels = handle(contract.carryModels, async (ctx, { folder, to }) => {
  await lockFolders(ctx)
  const { numAffectedRows = 0n } = await sql`
    update registry.model set folder = ${to} || substr(folder, length(${folder}::text) + 1)
    where removed_at is null and ${withinFolder(sql`folder`, folder, true)}
  `.execute(ctx.db)
  const models = Number(numAffectedRows)
  ctx.entry.subject('folder', folder)
  ctx.entry.subject('folder', to)
  ctx.entry.facts({ models })
  return { models }
})
