import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const createRegistry: Migration = {
  async up(db) {
    await sql`
      create table registry.model (
        workspace uuid not null,
        name text not null,
        spec jsonb not null,
        created_at timestamptz not null,
        last_version int not null default 0,
        primary key (workspace, name)
      )
    `.execute(db)
    await sql`
      create table registry.version (
        workspace uuid not null,
        model text not null,
        version int not null,
        digest text not null,
        content jsonb not null,
        author uuid not null,
        registered_at timestamptz not null,
        primary key (workspace, model, version),
        unique (workspace, model, digest),
        foreign key (workspace, model) references registry.model (workspace, name)
      )
    `.execute(db)
    await sql`
      create table registry.alias (
        workspace uuid not null,
        model text not null,
        alias text not null,
        version int not null,
        primary key (workspace, model, alias),
        foreign key (workspace, model, version) references registry.version (workspace, model, version)
      )
    `.execute(db)
    for (const table of ['model', 'version', 'alias']) await tenantTable(db, `registry.${table}`)
    // A version never changes: not even the app role may rewrite one.
    await sql`revoke update, delete on registry.version from pave_app`.execute(db)
  },
}
