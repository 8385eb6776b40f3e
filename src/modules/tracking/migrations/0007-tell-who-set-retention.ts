import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

export const tellWhoSetRetention: Migration = {
  async up(db) {
    await sql`alter table tracking.retention add column set_by uuid, add column set_at timestamptz`.execute(db)
  },
}
