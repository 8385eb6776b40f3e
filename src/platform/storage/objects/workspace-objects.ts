import { sql } from 'kysely'
import type { Db } from '../database/database.ts'

/**
 * Whether the bytes were uploaded to the workspace or made in it. The store is shared between workspaces, so an
 * operation that is given a digest asks this; that somebody named it as an input proves nothing.
 */
export async function workspaceHasObject(db: Db, workspace: string, digest: string): Promise<boolean> {
  const { rows } = await sql`
    select 1 from ledger.subject
    where workspace = ${workspace} and kind = 'object' and id = ${digest} and role <> 'input' limit 1
  `.execute(db)
  return rows.length > 0
}

/** Which of the digests are not objects of the workspace. */
export async function objectsMissing(db: Db, workspace: string, digests: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ digest: string }>`
    select digest from unnest(${digests}::text[]) as wanted (digest)
    where not exists (select 1 from ledger.subject
      where workspace = ${workspace} and kind = 'object' and id = digest and role <> 'input')
  `.execute(db)
  return rows.map((row) => row.digest)
}
