import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** A session of the console is a token that another token may have opened, and which ends with it. */
export const traceSessions: Migration = {
  async up(db) {
    await sql`alter table identity.token add column session boolean not null default false`.execute(db)
    await sql`alter table identity.token add column opened_by uuid`.execute(db)
    await sql`create index token_opened_by on identity.token (workspace, opened_by) where opened_by is not null`.execute(
      db,
    )
  },
}
