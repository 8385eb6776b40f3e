import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '../database.ts'

/**
 * Objects that a purge let go of, until it is certain that nothing else refers to them; and what became of those: the
 * store is one for all workspaces, and so is what is known to be gone from it.
 */
export const releaseObjects: Migration = {
  async up(db) {
    await sql`
      create table platform.released_object (
        workspace uuid not null,
        digest text not null,
        size bigint not null,
        released_at timestamptz not null,
        unreferenced_since timestamptz,
        primary key (workspace, digest)
      )
    `.execute(db)
    await tenantTable(db, 'platform.released_object')
    await sql`
      create table platform.withdrawn_object (
        digest text primary key,
        entry uuid not null
      )
    `.execute(db)
    await sql`
      create trigger operation_required before insert or update or delete on platform.withdrawn_object
      for each statement execute function platform.require_operation()
    `.execute(db)
    await sql`grant select, insert, update, delete on platform.withdrawn_object to pave_app`.execute(db)
    await sql`grant select on platform.withdrawn_object to pave_system`.execute(db)
  },
}
