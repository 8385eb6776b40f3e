import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const createMonitoring: Migration = {
  async up(db) {
    await sql`
      create table monitoring.monitor (
        workspace uuid not null,
        environment text not null,
        name text not null,
        endpoint text not null,
        spec jsonb not null,
        updated_at timestamptz not null,
        evaluated_at timestamptz,
        primary key (workspace, environment, name)
      )
    `.execute(db)
    await sql`create index monitor_endpoint on monitoring.monitor (workspace, environment, endpoint)`.execute(db)
    await sql`
      create table monitoring.evaluation (
        workspace uuid not null,
        environment text not null,
        monitor text not null,
        at timestamptz not null,
        body jsonb not null,
        primary key (workspace, environment, monitor, at),
        foreign key (workspace, environment, monitor) references monitoring.monitor (workspace, environment, name)
      )
    `.execute(db)
    await sql`
      create table monitoring.finding (
        workspace uuid not null,
        id uuid not null,
        environment text not null,
        monitor text not null,
        endpoint text not null,
        kind text not null,
        feature text,
        version text not null,
        value double precision not null,
        threshold double precision not null,
        severity text not null,
        state text not null check (state in ('open', 'resolved')),
        since timestamptz not null,
        raised_at timestamptz not null,
        last_seen_at timestamptz not null,
        resolved_at timestamptz,
        run uuid,
        primary key (workspace, id),
        foreign key (workspace, environment, monitor) references monitoring.monitor (workspace, environment, name)
      )
    `.execute(db)
    await sql`
      create unique index finding_open on monitoring.finding
        (workspace, environment, monitor, kind, coalesce(feature, '')) where state = 'open'
    `.execute(db)
    await sql`
      create table monitoring.retraining (
        workspace uuid not null,
        environment text not null,
        monitor text not null,
        at timestamptz not null,
        finding uuid not null,
        run uuid not null,
        primary key (workspace, environment, monitor, run),
        foreign key (workspace, finding) references monitoring.finding (workspace, id)
      )
    `.execute(db)
    for (const table of ['monitor', 'evaluation', 'finding', 'retraining']) {
      await tenantTable(db, `monitoring.${table}`)
    }
  },
}
