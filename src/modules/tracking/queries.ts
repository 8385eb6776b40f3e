import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import { withinFolder } from '#platform/storage/database/folders.ts'

/** How many experiments each folder within one has, and how many more of it are in the trash. */
export async function experimentFolders(
  db: Db,
  within: string,
): Promise<{ folder: string; experiments: number; deleted: number }[]> {
  const { rows } = await sql<{ folder: string; experiments: number; deleted: number }>`
    select folder, count(*) filter (where state = 'active') as experiments,
           count(*) filter (where state = 'deleted') as deleted
    from tracking.experiment where ${withinFolder(sql`folder`, within, true)} group by folder
  `.execute(db)
  return rows
}
