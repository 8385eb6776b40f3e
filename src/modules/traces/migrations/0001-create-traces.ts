import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const createTraces: Migration = {
  async up(db) {
    await sql`
      create table traces.trace (
        workspace uuid not null,
        id uuid not null,
        experiment int not null,
        name text,
        state text not null check (state in ('unspecified', 'in_progress', 'ok', 'error')),
        started_ms bigint not null,
        ended_ms bigint,
        client_request text,
        request_preview text,
        response_preview text,
        tags jsonb not null,
        metadata jsonb not null,
        input_tokens bigint,
        output_tokens bigint,
        total_tokens bigint,
        cost double precision,
        -- What its client said of it as a whole is not changed by spans that come later.
        recorded boolean not null,
        primary key (workspace, id)
      )
    `.execute(db)
    await sql`create index trace_newest on traces.trace (workspace, experiment, started_ms desc, id)`.execute(db)
    // The spans that one request brought for one trace, compressed: what their tree needs apart from what they hold.
    await sql`
      create table traces.span_chunk (
        workspace uuid not null,
        trace uuid not null,
        digest bytea not null,
        id uuid not null,
        spans int not null,
        names text[] not null,
        types text[] not null,
        statuses text[] not null,
        outline bytea not null,
        content bytea not null,
        size bigint not null,
        primary key (workspace, trace, digest),
        foreign key (workspace, trace) references traces.trace (workspace, id) on delete cascade
      )
    `.execute(db)
    await sql`
      alter table traces.span_chunk
        alter column outline set storage external,
        alter column content set storage external
    `.execute(db)
    await sql`
      create table traces.run_link (
        workspace uuid not null,
        run uuid not null,
        trace uuid not null,
        primary key (workspace, run, trace),
        foreign key (workspace, trace) references traces.trace (workspace, id) on delete cascade
      )
    `.execute(db)
    await sql`create index run_link_trace on traces.run_link (workspace, trace)`.execute(db)
    await sql`
      create table traces.assessment (
        workspace uuid not null,
        id uuid not null,
        trace uuid not null,
        name text not null,
        kind text not null check (kind in ('feedback', 'expectation', 'issue')),
        value jsonb not null,
        error jsonb,
        source jsonb not null,
        rationale text,
        metadata jsonb not null,
        span text,
        overrides uuid,
        valid boolean not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        primary key (workspace, id),
        foreign key (workspace, trace) references traces.trace (workspace, id) on delete cascade
      )
    `.execute(db)
    await sql`create index assessment_trace on traces.assessment (workspace, trace)`.execute(db)
    await sql`
      create table traces.evaluation_dataset (
        workspace uuid not null,
        id uuid not null,
        name text not null,
        tags jsonb not null,
        experiments int[] not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        created_by uuid not null,
        updated_by uuid not null,
        schema jsonb,
        primary key (workspace, id)
      )
    `.execute(db)
    await sql`create index evaluation_dataset_name on traces.evaluation_dataset (workspace, name)`.execute(db)
    await sql`
      create table traces.evaluation_record (
        workspace uuid not null,
        dataset uuid not null,
        inputs_digest text not null,
        id uuid not null,
        position int not null,
        inputs jsonb not null,
        outputs jsonb not null,
        expectations jsonb not null,
        tags jsonb not null,
        source jsonb not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        created_by uuid not null,
        updated_by uuid not null,
        primary key (workspace, dataset, inputs_digest),
        unique (workspace, dataset, id),
        unique (workspace, dataset, position),
        foreign key (workspace, dataset) references traces.evaluation_dataset (workspace, id) on delete cascade
      )
    `.execute(db)
    await sql`
      create table traces.scorer (
        workspace uuid not null,
        experiment int not null,
        name text not null,
        version int not null,
        id uuid not null,
        serialized text not null,
        created_at timestamptz not null,
        primary key (workspace, experiment, name, version)
      )
    `.execute(db)
    const tables = ['trace', 'span_chunk', 'run_link', 'assessment']
    for (const table of [...tables, 'evaluation_dataset', 'evaluation_record', 'scorer']) {
      await tenantTable(db, `traces.${table}`)
    }
  },
}
