import { sql } from 'kysely'
import type { Db } from '../database/database.ts'
import { lockObjects } from './lock-objects.ts'

/**
 * Whether the bytes were uploaded to the workspace or made in it. The store is shared between workspaces, so an
 * operation that is given a digest asks this; that somebody named it as an input proves nothing. Until its transaction
 * ends the bytes are not withdrawn, so that it may refer to them.
 */
export async function workspaceHasObject(db: Db, workspace: string, digest: string): Promise<boolean> {
  return (await objectsMissing(db, workspace, [digest])).length === 0
}

/** Which of the digests are not objects of the workspace. */
export async function objectsMissing(db: Db, workspace: string, digests: readonly string[]): Promise<string[]> {
  await lockObjects(db, digests, 'shared')
  const { rows } = await sql<{ digest: string }>`
    select digest from unnest(${digests}::text[]) as wanted (digest)
    where not exists (select 1 from ledger.subject
      where workspace = ${workspace} and kind = 'object' and id = digest and role <> 'input'
        and not exists (select 1 from platform.withdrawn_object withdrawn
          where withdrawn.digest = subject.id and withdrawn.entry >= subject.entry))
  `.execute(db)
  return rows.map((row) => row.digest)
}

/** Whether the workspace ever had them: enough to look for the bytes, and not to refer to them. */
export async function workspaceKnowsObject(db: Db, workspace: string, digest: string): Promise<boolean> {
  const { rows } = await sql`
    select 1 from ledger.subject
    where workspace = ${workspace} and kind = 'object' and id = ${digest} and role <> 'input' limit 1
  `.execute(db)
  return rows.length > 0
}
