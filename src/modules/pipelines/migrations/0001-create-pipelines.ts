import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const createPipelines: Migration = {
  async up(db) {
    await sql`
      create table pipelines.pipeline (
        workspace uuid not null,
        name text not null,
        spec jsonb not null,
        digest text not null,
        declared_by jsonb not null,
        updated_at timestamptz not null,
        primary key (workspace, name)
      )
    `.execute(db)
    await sql`
      create table pipelines.run (
        workspace uuid not null,
        id uuid not null,
        pipeline text not null,
        spec jsonb not null,
        pipeline_digest text not null,
        params jsonb not null,
        reason text not null,
        actor jsonb not null,
        job uuid not null,
        state text not null check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
        error jsonb,
        created_at timestamptz not null,
        started_at timestamptz,
        ended_at timestamptz,
        primary key (workspace, id),
        foreign key (workspace, pipeline) references pipelines.pipeline (workspace, name)
      )
    `.execute(db)
    await sql`create index run_order on pipelines.run (workspace, created_at desc, id desc)`.execute(db)
    await sql`
      create table pipelines.step (
        workspace uuid not null,
        run uuid not null,
        step text not null,
        position int not null,
        pipeline text not null,
        state text not null
          check (state in ('pending', 'running', 'retrying', 'done', 'failed', 'cancelled', 'skipped')),
        attempt int not null default 0,
        lost int not null default 0,
        cache_hit boolean,
        cache_reason text,
        recipe jsonb,
        key text,
        outputs jsonb not null default '{}',
        result jsonb,
        exit_code int,
        reason text not null default '',
        log_digest text,
        usage jsonb,
        started_at timestamptz,
        ended_at timestamptz,
        primary key (workspace, run, step),
        foreign key (workspace, run) references pipelines.run (workspace, id)
      )
    `.execute(db)
    await sql`
      create index step_recipe on pipelines.step (workspace, pipeline, step, started_at desc) where recipe is not null
    `.execute(db)
    await sql`
      create table pipelines.cache_entry (
        workspace uuid not null,
        key text not null,
        outputs jsonb not null,
        result jsonb,
        run uuid not null,
        step text not null,
        created_at timestamptz not null,
        primary key (workspace, key),
        foreign key (workspace, run, step) references pipelines.step (workspace, run, step)
      )
    `.execute(db)
    for (const table of ['pipeline', 'run', 'step', 'cache_entry']) await tenantTable(db, `pipelines.${table}`)
  },
}
