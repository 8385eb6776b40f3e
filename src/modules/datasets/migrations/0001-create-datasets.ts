import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const createDatasets: Migration = {
  async up(db) {
    // json keeps the order of columns, which jsonb does not.
    await sql`
      create table datasets.dataset (
        workspace uuid not null,
        name text not null,
        spec json not null,
        contract_digest text not null,
        created_at timestamptz not null,
        last_version int not null default 0,
        primary key (workspace, name)
      )
    `.execute(db)
    // The fingerprint is of source, contract and range: what a version is made from.
    await sql`
      create table datasets.version (
        workspace uuid not null,
        dataset text not null,
        version int not null,
        fingerprint text not null,
        content jsonb not null,
        registered_at timestamptz not null,
        primary key (workspace, dataset, version),
        unique (workspace, dataset, fingerprint),
        foreign key (workspace, dataset) references datasets.dataset (workspace, name)
      )
    `.execute(db)
    for (const table of ['dataset', 'version']) await tenantTable(db, `datasets.${table}`)
    // A version never changes: not even the app role may rewrite one.
    await sql`revoke update, delete on datasets.version from pave_app`.execute(db)
  },
}
