import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const createTracking: Migration = {
  async up(db) {
    await sql`
      create table tracking.experiment (
        workspace uuid not null,
        id int not null,
        name text not null,
        state text not null check (state in ('active', 'deleted')),
        tags jsonb not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        primary key (workspace, id),
        unique (workspace, name)
      )
    `.execute(db)
    await sql`
      create table tracking.run (
        workspace uuid not null,
        id uuid not null,
        experiment int not null,
        name text not null,
        status text not null,
        state text not null check (state in ('active', 'deleted')),
        started_at timestamptz not null,
        ended_at timestamptz,
        author uuid not null,
        tags jsonb not null,
        primary key (workspace, id),
        foreign key (workspace, experiment) references tracking.experiment (workspace, id)
      )
    `.execute(db)
    await sql`create index run_newest on tracking.run (workspace, experiment, started_at desc, id)`.execute(db)
    await sql`
      create table tracking.logged_model (
        workspace uuid not null,
        id uuid not null,
        experiment int not null,
        run uuid,
        name text not null,
        type text not null,
        status text not null,
        params jsonb not null,
        tags jsonb not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        primary key (workspace, id),
        foreign key (workspace, experiment) references tracking.experiment (workspace, id),
        foreign key (workspace, run) references tracking.run (workspace, id)
      )
    `.execute(db)
    await sql`create index logged_model_newest on tracking.logged_model (workspace, experiment, id desc)`.execute(db)
    await sql`
      create table tracking.param (
        workspace uuid not null,
        run uuid not null,
        key text not null,
        value text not null,
        primary key (workspace, run, key),
        foreign key (workspace, run) references tracking.run (workspace, id)
      )
    `.execute(db)
    await sql`
      create table tracking.metric_point (
        workspace uuid not null,
        run uuid not null,
        key text not null,
        step bigint not null,
        timestamp bigint not null,
        value double precision not null,
        primary key (workspace, run, key, step, timestamp, value),
        foreign key (workspace, run) references tracking.run (workspace, id)
      )
    `.execute(db)
    await sql`
      create table tracking.model_metric (
        workspace uuid not null,
        logged_model uuid not null,
        run uuid not null,
        key text not null,
        step bigint not null,
        timestamp bigint not null,
        value double precision not null,
        primary key (workspace, logged_model, run, key, step, timestamp, value),
        foreign key (workspace, logged_model) references tracking.logged_model (workspace, id),
        foreign key (workspace, run) references tracking.run (workspace, id)
      )
    `.execute(db)
    // One row for each key of each run, so that searching runs does not read their histories.
    await sql`
      create table tracking.latest_metric (
        workspace uuid not null,
        run uuid not null,
        key text not null,
        step bigint not null,
        timestamp bigint not null,
        value double precision not null,
        primary key (workspace, run, key),
        foreign key (workspace, run) references tracking.run (workspace, id)
      )
    `.execute(db)
    await sql`
      create table tracking.run_dataset (
        workspace uuid not null,
        run uuid not null,
        name text not null,
        digest text not null,
        source_type text not null,
        source text not null,
        schema text,
        profile text,
        tags jsonb not null,
        primary key (workspace, run, name, digest),
        foreign key (workspace, run) references tracking.run (workspace, id)
      )
    `.execute(db)
    await sql`
      create table tracking.run_model (
        workspace uuid not null,
        run uuid not null,
        logged_model uuid not null,
        direction text not null check (direction in ('input', 'output')),
        step bigint not null,
        primary key (workspace, run, logged_model, direction),
        foreign key (workspace, run) references tracking.run (workspace, id),
        foreign key (workspace, logged_model) references tracking.logged_model (workspace, id)
      )
    `.execute(db)
    // The C collation orders paths by bytes, so that what lies below a directory is one range.
    await sql`
      create table tracking.artifact (
        workspace uuid not null,
        run uuid,
        logged_model uuid,
        path text collate "C" not null,
        digest text not null,
        size bigint not null,
        recorded_at timestamptz not null,
        check (num_nonnulls(run, logged_model) = 1),
        unique nulls not distinct (workspace, run, logged_model, path),
        foreign key (workspace, run) references tracking.run (workspace, id),
        foreign key (workspace, logged_model) references tracking.logged_model (workspace, id)
      )
    `.execute(db)
    const tables = [
      'experiment',
      'run',
      'logged_model',
      'param',
      'metric_point',
      'model_metric',
      'latest_metric',
      'artifact',
    ]
    for (const table of [...tables, 'run_dataset', 'run_model']) await tenantTable(db, `tracking.${table}`)
  },
}
