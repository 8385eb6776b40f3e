import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

export const letLoggedModelsBeRemoved: Migration = {
  async up(db) {
    await sql`alter table tracking.logged_model add column removed_at timestamptz`.execute(db)
  },
}
