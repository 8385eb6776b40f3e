import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const createWebhooks: Migration = {
  async up(db) {
    await sql`
      create table webhooks.webhook (
        workspace uuid not null,
        id uuid not null,
        name text not null,
        description text not null,
        url text not null,
        events text[] not null,
        -- When each event was chosen: what happened before is not for it.
        since jsonb not null,
        state text not null check (state in ('active', 'disabled')),
        -- Sealed with a key that is not in the database.
        secret text,
        failures int not null default 0,
        failing_since timestamptz,
        last_success_at timestamptz,
        -- A receiver that is away is left alone until then.
        held_until timestamptz,
        -- The one job that sends what waits, and when it begins.
        job uuid,
        job_at timestamptz,
        last_number bigint not null default 0,
        created_at timestamptz not null,
        changed_at timestamptz not null,
        primary key (workspace, id)
      )
    `.execute(db)
    await sql`
      create table webhooks.delivery (
        workspace uuid not null,
        id uuid not null,
        webhook uuid not null,
        -- In the order of the ledger.
        number bigint not null,
        event text not null,
        entry uuid,
        -- Of the events of one entry.
        part int not null,
        body text not null,
        state text not null check (state in ('queued', 'delivered', 'dead')),
        tries int not null default 0,
        created_at timestamptz not null,
        tried_at timestamptz,
        next_at timestamptz not null,
        status int,
        answer text,
        error text,
        milliseconds int,
        primary key (workspace, id),
        foreign key (workspace, webhook) references webhooks.webhook (workspace, id) on delete cascade,
        unique (workspace, webhook, entry, part)
      )
    `.execute(db)
    await sql`create index delivery_number on webhooks.delivery (workspace, webhook, number)`.execute(db)
    await sql`create index delivery_state on webhooks.delivery (workspace, webhook, state, number)`.execute(db)
    for (const table of ['webhook', 'delivery']) await tenantTable(db, `webhooks.${table}`)
  },
}
