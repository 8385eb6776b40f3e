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
