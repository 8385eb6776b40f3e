import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const createGovernance: Migration = {
  async up(db) {
    await sql`
      create table governance.policy (
        workspace uuid not null,
        name text not null,
        spec jsonb not null,
        digest text not null,
        updated_at timestamptz not null,
        primary key (workspace, name)
      )
    `.execute(db)
    await tenantTable(db, 'governance.policy')
  },
}
