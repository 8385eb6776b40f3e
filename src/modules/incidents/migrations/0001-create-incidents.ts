import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const createIncidents: Migration = {
  async up(db) {
    await sql`
      create table incidents.incident (
        workspace uuid not null,
        id uuid not null,
        number int not null,
        title text not null,
        severity text not null,
        state text not null check (state in ('open', 'resolved')),
        environment text,
        endpoint text,
        cause jsonb not null,
        subjects jsonb not null,
        mitigated_at timestamptz,
        opened_at timestamptz not null,
        resolved_at timestamptz,
        resolution text,
        primary key (workspace, id),
        unique (workspace, number)
      )
    `.execute(db)
    await sql`
      create unique index incident_cause on incidents.incident (workspace, (cause ->> 'kind'), (cause ->> 'id'))
    `.execute(db)
    // What people write stays out of the ledger, which holds references only.
    await sql`
      create table incidents.comment (
        workspace uuid not null,
        id uuid not null,
        incident uuid not null,
        author uuid not null,
        at timestamptz not null,
        text text not null,
        primary key (workspace, id),
        foreign key (workspace, incident) references incidents.incident (workspace, id)
      )
    `.execute(db)
    for (const table of ['incident', 'comment']) await tenantTable(db, `incidents.${table}`)
  },
}
