import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const createFeatureStore: Migration = {
  async up(db) {
    // json keeps the order of names, which jsonb does not: features have one.
    await sql`
      create table feature_store.entity (
        workspace uuid not null,
        name text not null,
        spec json not null,
        created_at timestamptz not null,
        primary key (workspace, name)
      )
    `.execute(db)
    await sql`
      create table feature_store.view (
        workspace uuid not null,
        name text not null,
        entity text not null,
        dataset text not null,
        spec json not null,
        version int not null,
        created_at timestamptz not null,
        primary key (workspace, name),
        foreign key (workspace, entity) references feature_store.entity (workspace, name),
        foreign key (workspace, dataset) references datasets.dataset (workspace, name)
      )
    `.execute(db)
    await sql`create index view_dataset on feature_store.view (workspace, dataset)`.execute(db)
    // What a view meant when its version was made; the current meaning is in the view itself.
    await sql`
      create table feature_store.view_version (
        workspace uuid not null,
        view text not null,
        version int not null,
        spec json not null,
        definition text not null,
        created_at timestamptz not null,
        primary key (workspace, view, version),
        foreign key (workspace, view) references feature_store.view (workspace, name)
      )
    `.execute(db)
    await sql`
      create table feature_store.service (
        workspace uuid not null,
        name text not null,
        spec json not null,
        created_at timestamptz not null,
        primary key (workspace, name)
      )
    `.execute(db)
    for (const table of ['entity', 'view', 'view_version', 'service']) await tenantTable(db, `feature_store.${table}`)
    await sql`revoke update, delete on feature_store.view_version from pave_app`.execute(db)
  },
}
