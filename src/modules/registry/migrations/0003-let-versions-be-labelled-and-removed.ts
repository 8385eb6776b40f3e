import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const letVersionsBeLabelledAndRemoved: Migration = {
  async up(db) {
    await sql`alter table registry.model add column removed_at timestamptz`.execute(db)
    // A version never changes, so what is said about it stands beside it: a row from the first such change on.
    await sql`
      create table registry.version_state (
        workspace uuid not null,
        model text not null,
        version int not null,
        note text,
        tags jsonb not null default '{}',
        stage text not null default 'none',
        changed_at timestamptz not null,
        removed_at timestamptz,
        primary key (workspace, model, version),
        foreign key (workspace, model, version) references registry.version (workspace, model, version)
      )
    `.execute(db)
    await tenantTable(db, 'registry.version_state')
    await sql`create index version_newest on registry.version (workspace, registered_at desc, model, version desc)`.execute(
      db,
    )
  },
}
