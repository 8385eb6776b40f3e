import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { releaseObjects } from '#platform/storage/objects/release-objects.ts'
import { ownedBy, ownerColumns, requireOwner } from './artifact-owner.ts'
import * as contract from './contract.ts'
import { requireActiveRun, trackingFailure } from './tables.ts'

/** The bytes go later, when nothing else refers to them: the same may be a file of something else. */
export const deleteArtifacts = handle(contract.deleteArtifacts, async (ctx, { owner, path }) => {
  const columns = ownerColumns(owner)
  await requireOwner(ctx.db, owner)
  if (columns.run !== null) await requireActiveRun(ctx.db, columns.run)
  const { rows } = await sql<{ digest: string; size: number }>`
    delete from tracking.artifact
    where ${ownedBy(columns)} and (path = ${path} or (path >= ${`${path}/`} and path < ${`${path}0`}))
    returning digest, size
  `.execute(ctx.db)
  if (rows.length === 0) throw trackingFailure('run_artifact_not_found', `${owner} has no artifact ${path}`)
  await releaseObjects(ctx, rows)
  const bytes = rows.reduce((sum, row) => sum + row.size, 0)
  ctx.entry.subject(columns.run === null ? 'logged-model' : 'run', owner)
  ctx.entry.facts({ path, files: rows.length, bytes })
  return { files: rows.length, bytes }
})
