import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Paths are compared by their bytes, so that all below a folder stands together in the index. */
export const keepModelsInFolders: Migration = {
  async up(db) {
    await sql`alter table registry.model add column folder text collate "C" not null default ''`.execute(db)
    await sql`create index model_folder on registry.model (workspace, folder, name)`.execute(db)
  },
}
