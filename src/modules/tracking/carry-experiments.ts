import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { lockFolders, withinFolder } from '#platform/storage/database/folders.ts'
import * as contract from './contract.ts'

/** What is in the trash goes along, so that it comes back to where it belongs. */
export const carryExperiments = handle(contract.carryExperiments, async (ctx, { folder, to }) => {
  await lockFolders(ctx)
  const { numAffectedRows = 0n } = await sql`
    update tracking.experiment set folder = ${to} || substr(folder, length(${folder}::text) + 1)
    where ${withinFolder(sql`folder`, folder, true)}
  `.execute(ctx.db)
  const experiments = Number(numAffectedRows)
  ctx.entry.subject('folder', folder)
  ctx.entry.subject('folder', to)
  ctx.entry.facts({ experiments })
  return { experiments }
})
