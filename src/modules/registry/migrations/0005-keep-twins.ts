import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

/** A version never changes, so the graph that was made of it stands beside it. */
export const keepTwins: Migration = {
  async up(db) {
    await sql`
      create table registry.onnx_twin (
        workspace uuid not null,
        model text not null,
        version int not null,
        job uuid not null,
        state text not null,
        content jsonb not null,
        log_size bigint not null default 0,
        primary key (workspace, model, version),
        foreign key (workspace, model, version) references registry.version (workspace, model, version)
      )
    `.execute(db)
    await tenantTable(db, 'registry.onnx_twin')
  },
}
