import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '../database.ts'

/**
 * The ledger and what run-operation keeps: idempotent answers, pending operations, jobs. `ledger.entry` is written by
 * the app role through two columns' grants only, so neither an xid nor an existing entry can be forged.
 */
export const createKernel: Migration = {
  async up(db) {
    await sql`
      create function platform.require_operation() returns trigger language plpgsql as $$
      begin
        if coalesce(current_setting('app.operation', true), '') = '' then
          raise exception 'a change to %.% needs an operation', tg_table_schema, tg_table_name
            using errcode = 'PV001';
        end if;
        return null;
      end $$
    `.execute(db)

    await sql`create schema ledger`.execute(db)
    await sql`grant usage on schema ledger to pave_app, pave_system`.execute(db)
    await sql`
      create table ledger.entry (
        seq bigint generated always as identity primary key,
        xid xid8 not null default pg_current_xact_id(),
        workspace uuid not null,
        id uuid not null unique,
        at timestamptz not null,
        operation text not null,
        body text not null
      )
    `.execute(db)
    await sql`create index entry_order on ledger.entry (xid, seq)`.execute(db)
    await sql`create index entry_workspace on ledger.entry (workspace, seq desc)`.execute(db)
    await sql`create index entry_operation on ledger.entry (workspace, operation, seq desc)`.execute(db)
    await sql`
      create table ledger.subject (
        workspace uuid not null,
        entry uuid not null,
        role text not null check (role in ('subject', 'input', 'output')),
        kind text not null,
        id text not null,
        primary key (entry, role, kind, id)
      )
    `.execute(db)
    await sql`create index subject_lookup on ledger.subject (workspace, kind, id, entry)`.execute(db)
    await sql`create table ledger.leaf (ix bigint primary key, seq bigint not null unique, hash bytea not null)`.execute(
      db,
    )
    await sql`
      create table ledger.head (
        one boolean primary key default true check (one),
        size bigint not null,
        root bytea not null,
        frontier bytea[] not null,
        xid xid8 not null,
        seq bigint not null
      )
    `.execute(db)
    await sql`
      insert into ledger.head (size, root, frontier, xid, seq)
      values (0, sha256(''::bytea), '{}', '0', 0)
    `.execute(db)
    await sql`create table ledger.cursor (subscriber text primary key, ix bigint not null, failures int not null default 0, last_error text)`.execute(
      db,
    )
    for (const name of ['ledger.entry', 'ledger.subject']) {
      const table = sql.table(name)
      await sql`alter table ${table} enable row level security`.execute(db)
      await sql`
        create policy workspace on ${table}
        using (workspace = nullif(current_setting('app.workspace', true), '')::uuid)
        with check (workspace = nullif(current_setting('app.workspace', true), '')::uuid)
      `.execute(db)
    }
    await sql`grant select, insert (workspace, id, at, operation, body) on ledger.entry to pave_app`.execute(db)
    await sql`grant select, insert on ledger.subject to pave_app`.execute(db)
    await sql`grant select on ledger.leaf, ledger.head, ledger.cursor to pave_app`.execute(db)
    await sql`grant select on ledger.entry, ledger.subject to pave_system`.execute(db)
    await sql`grant select, insert on ledger.leaf to pave_system`.execute(db)
    await sql`grant select, update on ledger.head to pave_system`.execute(db)
    await sql`grant select, insert, update on ledger.cursor to pave_system`.execute(db)

    await sql`
      create table platform.idempotent_answer (
        workspace uuid not null,
        actor uuid not null,
        key text not null,
        operation text not null,
        input_digest text not null,
        status int,
        answer jsonb,
        created_at timestamptz not null,
        primary key (workspace, actor, key)
      )
    `.execute(db)
    await tenantTable(db, 'platform.idempotent_answer')

    await sql`
      create table platform.pending_operation (
        workspace uuid not null,
        id uuid not null,
        operation text not null,
        input jsonb not null,
        point text not null,
        evidence jsonb not null,
        evidence_digest text not null,
        quorum int not null,
        requested_by uuid not null,
        actor jsonb not null,
        requested_at timestamptz not null,
        expires_at timestamptz not null,
        state text not null check (state in ('pending', 'done', 'rejected', 'failed', 'lapsed', 'cancelled')),
        outcome jsonb,
        closed_at timestamptz,
        primary key (workspace, id)
      )
    `.execute(db)
    await tenantTable(db, 'platform.pending_operation')
    await sql`
      create table platform.approval (
        workspace uuid not null,
        pending uuid not null,
        approver uuid not null,
        decision text not null check (decision in ('approve', 'reject')),
        comment text not null,
        evidence_digest text not null,
        at timestamptz not null,
        primary key (workspace, pending, approver),
        foreign key (workspace, pending) references platform.pending_operation (workspace, id)
      )
    `.execute(db)
    await tenantTable(db, 'platform.approval')

    await sql`
      create table platform.job (
        workspace uuid not null,
        id uuid not null,
        job text not null,
        input jsonb not null,
        actor jsonb not null,
        state text not null check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
        attempt int not null default 0,
        progress double precision not null default 0,
        progress_text text not null default '',
        result jsonb,
        error jsonb,
        cancel_requested boolean not null default false,
        created_at timestamptz not null,
        started_at timestamptz,
        ended_at timestamptz,
        primary key (workspace, id)
      )
    `.execute(db)
    await sql`create index job_state on platform.job (workspace, state, created_at desc)`.execute(db)
    await tenantTable(db, 'platform.job')
  },
}
