import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const createPredictions: Migration = {
  async up(db) {
    // Kept for ever: a chunk that is sent again after its file was compacted must still be known.
    await sql`
      create table predictions.chunk (
        workspace uuid not null,
        node text not null,
        chunk text not null,
        digest text not null,
        rows int not null,
        recorded_at timestamptz not null,
        primary key (workspace, node, chunk)
      )
    `.execute(db)
    await sql`
      create table predictions.file (
        workspace uuid not null,
        id uuid not null,
        kind text not null check (kind in ('prediction', 'label')),
        format text not null check (format in ('ndjson', 'parquet')),
        path text not null,
        endpoints text[] not null,
        rows int not null,
        first_at timestamptz not null,
        last_at timestamptz not null,
        recorded_at timestamptz not null,
        retired_at timestamptz,
        primary key (workspace, id),
        unique (workspace, path)
      )
    `.execute(db)
    await sql`create index file_live on predictions.file (workspace, kind, last_at) where retired_at is null`.execute(
      db,
    )
    await sql`
      create table predictions.window_statistic (
        workspace uuid not null,
        environment text not null,
        endpoint text not null,
        hour timestamptz not null,
        version text not null,
        variant text not null check (variant in ('primary', 'canary', 'shadow')),
        statistics jsonb not null,
        primary key (workspace, environment, endpoint, hour, version, variant)
      )
    `.execute(db)
    await sql`
      create table predictions.watermark (
        workspace uuid not null,
        environment text not null,
        endpoint text not null,
        at timestamptz not null,
        primary key (workspace, environment, endpoint)
      )
    `.execute(db)
    for (const table of ['chunk', 'file', 'window_statistic', 'watermark']) {
      await tenantTable(db, `predictions.${table}`)
    }
  },
}
