import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { ownedBy, ownerColumns } from './artifact-owner.ts'
import * as contract from './contract.ts'
import { trackingFailure } from './tables.ts'

export const getArtifact = handle(contract.getArtifact, async (ctx, { owner, path }) => {
  const { rows } = await sql<{ path: string; digest: string; size: number }>`
    select path, digest, size from tracking.artifact where ${ownedBy(ownerColumns(owner))} and path = ${path}
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw trackingFailure('run_artifact_not_found', `${owner} has no artifact ${path}`)
  return row
})
