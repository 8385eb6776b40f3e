import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Paths are compared by their bytes, so that all below a folder stands together in the index. */
export const keepExperimentsInFolders: Migration = {
  async up(db) {
    await sql`alter table tracking.experiment add column folder text collate "C" not null default ''`.execute(db)
    await sql`create index experiment_folder on tracking.experiment (workspace, folder, id desc)`.execute(db)
  },
}
