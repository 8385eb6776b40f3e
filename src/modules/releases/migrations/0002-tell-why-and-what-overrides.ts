import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

export const tellWhyAndWhatOverrides: Migration = {
  async up(db) {
    await sql`alter table releases.release add column note text not null default ''`.execute(db)
    await sql`alter table releases.node add column overrides jsonb not null default '[]'`.execute(db)
  },
}
