import { sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import { releaseObjects } from '#platform/storage/objects/release-objects.ts'
import { workspaceHasObject } from '#platform/storage/objects/workspace-objects.ts'
import { type OwnerColumns, ownedBy, ownerColumns, requireOwner } from './artifact-owner.ts'
import * as contract from './contract.ts'
import { requireActiveRun, trackingFailure } from './tables.ts'

/** Whoever uploads to a path again replaces what was there. */
export const recordArtifact = handle(contract.recordArtifact, async (ctx, { owner, path, digest, size }) => {
  const columns = ownerColumns(owner)
  await requireOwner(ctx.db, owner)
  if (columns.run !== null) await requireActiveRun(ctx.db, columns.run)
  if (!(await workspaceHasObject(ctx.db, ctx.workspace, digest))) {
    throw trackingFailure('artifact_object_unknown', `The workspace has no object ${digest}`)
  }
  await requireFreePath(ctx, columns, path)
  const { rows: replaced } = await sql<{ digest: string; size: number }>`
    select digest, size from tracking.artifact
    where ${ownedBy(columns)} and path = ${path} and digest <> ${digest} for update
  `.execute(ctx.db)
  await releaseObjects(ctx, replaced)
  await sql`
    insert into tracking.artifact (workspace, run, logged_model, path, digest, size, recorded_at)
    values (${ctx.workspace}, ${columns.run}, ${columns.loggedModel}, ${path}, ${digest}, ${size}, ${ctx.clock.iso()})
    on conflict (workspace, run, logged_model, path)
    do update set digest = excluded.digest, size = excluded.size, recorded_at = excluded.recorded_at
  `.execute(ctx.db)
  ctx.entry.subject(columns.run === null ? 'logged-model' : 'run', owner)
  ctx.entry.subject('object', digest)
  ctx.entry.facts({ path, size })
  return { path, digest, size }
})

async function requireFreePath(ctx: OperationContext, owner: OwnerColumns, path: string): Promise<void> {
  const parts = path.split('/')
  const directories = parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
  const { rows } = await sql<{ path: string }>`
    select path from tracking.artifact
    where ${ownedBy(owner)}
      and (path = any(${directories}::text[]) or (path >= ${`${path}/`} and path < ${`${path}0`}))
    limit 1
  `.execute(ctx.db)
  if (rows[0] === undefined) return
  throw trackingFailure('artifact_path_taken', `${path} cannot be a file: there is a file ${rows[0].path}`)
}
