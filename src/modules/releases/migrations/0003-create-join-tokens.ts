import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const createJoinTokens: Migration = {
  async up(db) {
    await sql`
      create table releases.join_token (
        workspace uuid not null,
        id uuid not null,
        hash text not null unique,
        environment text not null,
        uses int not null,
        used int not null default 0,
        created_at timestamptz not null,
        expires_at timestamptz not null,
        revoked_at timestamptz,
        primary key (workspace, id),
        check (used <= uses)
      )
    `.execute(db)
    await tenantTable(db, 'releases.join_token')
  },
}
