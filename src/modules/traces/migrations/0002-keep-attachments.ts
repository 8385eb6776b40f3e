import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

/** Files that spans refer to, by the ids that their clients gave them. */
export const keepAttachments: Migration = {
  async up(db) {
    await sql`
      create table traces.attachment (
        workspace uuid not null,
        trace uuid not null,
        id uuid not null,
        digest text not null,
        size bigint not null,
        primary key (workspace, trace, id),
        foreign key (workspace, trace) references traces.trace (workspace, id) on delete cascade
      )
    `.execute(db)
    await tenantTable(db, 'traces.attachment')
  },
}
