import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const createReleases: Migration = {
  async up(db) {
    await sql`
      create table releases.endpoint (
        workspace uuid not null,
        environment text not null,
        name text not null,
        spec jsonb not null,
        salt text not null,
        version text,
        release uuid,
        created_at timestamptz not null,
        primary key (workspace, environment, name)
      )
    `.execute(db)
    await sql`
      create table releases.release (
        workspace uuid not null,
        id uuid not null,
        environment text not null,
        endpoint text not null,
        version text not null,
        previous text,
        state text not null check (state in ('shadow', 'canary', 'completed', 'rolled-back')),
        step int,
        weight int not null,
        strategy jsonb not null,
        watermark timestamptz,
        step_rows int not null default 0,
        started_by uuid not null,
        started_at timestamptz not null,
        ended_at timestamptz,
        reason text,
        verdicts jsonb not null default '[]',
        history jsonb not null default '[]',
        primary key (workspace, id),
        foreign key (workspace, environment, endpoint) references releases.endpoint (workspace, environment, name)
      )
    `.execute(db)
    await sql`
      create unique index one_running_release on releases.release (workspace, environment, endpoint)
      where state in ('shadow', 'canary')
    `.execute(db)
    await sql`create index release_newest on releases.release (workspace, environment, endpoint, started_at desc)`.execute(
      db,
    )
    await sql`
      create table releases.plan (
        workspace uuid not null,
        environment text not null,
        generation int not null,
        content_digest text not null,
        payload text not null,
        signature text not null,
        key_id text not null,
        issued_at timestamptz not null,
        primary key (workspace, environment)
      )
    `.execute(db)
    await sql`
      create table releases.node (
        workspace uuid not null,
        node text not null,
        environment text not null,
        generation int not null,
        failed jsonb not null,
        applied_at timestamptz not null,
        reported_at timestamptz not null,
        primary key (workspace, node)
      )
    `.execute(db)
    for (const table of ['endpoint', 'release', 'plan', 'node']) await tenantTable(db, `releases.${table}`)
  },
}
