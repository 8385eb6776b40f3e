import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

export const createIdentity: Migration = {
  async up(db) {
    await sql`
      create table identity.workspace (
        workspace uuid primary key,
        name text not null unique,
        created_at timestamptz not null
      )
    `.execute(db)
    await sql`
      create table identity.principal (
        workspace uuid not null references identity.workspace,
        id uuid not null,
        kind text not null check (kind in ('user', 'service-account', 'node')),
        name text not null,
        created_at timestamptz not null,
        primary key (workspace, id),
        unique (workspace, name)
      )
    `.execute(db)
    await sql`
      create table identity.role_binding (
        workspace uuid not null,
        id uuid not null,
        principal uuid not null,
        role text not null,
        scope jsonb not null,
        primary key (workspace, id),
        unique (workspace, principal, role, scope),
        foreign key (workspace, principal) references identity.principal (workspace, id)
      )
    `.execute(db)
    await sql`
      create table identity.token (
        workspace uuid not null,
        id uuid not null,
        principal uuid not null,
        name text not null,
        hash text not null unique,
        created_at timestamptz not null,
        expires_at timestamptz,
        revoked_at timestamptz,
        endpoints text[] not null default '{}',
        run uuid,
        primary key (workspace, id),
        foreign key (workspace, principal) references identity.principal (workspace, id)
      )
    `.execute(db)
    await sql`
      create table identity.sign_in_link (
        workspace uuid not null,
        hash text not null unique,
        principal uuid not null,
        expires_at timestamptz not null,
        used_at timestamptz,
        primary key (workspace, hash),
        foreign key (workspace, principal) references identity.principal (workspace, id)
      )
    `.execute(db)
    for (const table of ['workspace', 'principal', 'role_binding', 'token', 'sign_in_link']) {
      await tenantTable(db, `identity.${table}`)
    }
  },
}
