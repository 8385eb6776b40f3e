import { type RawBuilder, sql } from 'kysely'
import type { OperationContext } from '../../context.ts'

/**
 * Whether a column with paths of folders, of collation C, names this folder or, if wanted, one below it. Compared and not
 * matched, because an index helps with LIKE only where there is no row-level security.
 */
export function withinFolder(column: RawBuilder<unknown>, folder: string, below: boolean): RawBuilder<boolean> {
  if (!below) return sql`(${column} = ${folder})`
  if (folder === '') return sql`true`
  // What begins with a slash comes after the slash and before the 0, which is the next character.
  return sql`(${column} = ${folder} or (${column} > ${`${folder}/`} and ${column} < ${`${folder}0`}))`
}

/** Whoever puts something into a folder waits until the folder's name is certain. Taken before any row is locked. */
export async function holdFolders({ db, workspace }: OperationContext): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(hashtextextended('folders' || ${workspace}, 0))`.execute(db)
}

/** Nothing comes into any folder of the workspace, and none is renamed, until this transaction ends. */
export async function lockFolders({ db, workspace }: OperationContext): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('folders' || ${workspace}, 0))`.execute(db)
}
