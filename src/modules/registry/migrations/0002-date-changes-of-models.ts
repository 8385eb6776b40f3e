import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

export const dateChangesOfModels: Migration = {
  async up(db) {
    // A default that the process of the version before, which knows no such column, inserts by.
    await sql`alter table registry.model add column changed_at timestamptz not null default now()`.execute(db)
    await sql`alter table registry.model disable trigger operation_required`.execute(db)
    await sql`
      update registry.model set changed_at = coalesce(
        (select max(registered_at) from registry.version v where v.workspace = model.workspace and v.model = model.name),
        created_at)
    `.execute(db)
    await sql`alter table registry.model enable trigger operation_required`.execute(db)
    await sql`create index model_changed on registry.model (workspace, changed_at desc, name)`.execute(db)
  },
}
