import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

/**
 * Who deleted what, and when, so that it can be told and purged in time. What was deleted before anybody noted it begins
 * its time in the trash now.
 */
export const keepATrash: Migration = {
  async up(db) {
    await sql`select set_config('app.operation', 'migration', true)`.execute(db)
    for (const table of ['experiment', 'run']) {
      await sql`alter table ${sql.table(`tracking.${table}`)} add column removed_at timestamptz`.execute(db)
      await sql`update ${sql.table(`tracking.${table}`)} set removed_at = date_trunc('milliseconds', now()) where state = 'deleted'`.execute(
        db,
      )
    }
    for (const table of ['experiment', 'run', 'logged_model']) {
      // What is being purged is past restoring: a part of it is gone.
      await sql`
        alter table ${sql.table(`tracking.${table}`)}
          add column removed_by uuid, add column purging boolean not null default false
      `.execute(db)
      await sql`
        create index ${sql.id(`${table}_trash`)} on ${sql.table(`tracking.${table}`)} (workspace, removed_at desc)
        where removed_at is not null
      `.execute(db)
    }
    // Whatever is deleted, its foreign keys are looked up from the other side.
    await sql`create index logged_model_run on tracking.logged_model (workspace, run)`.execute(db)
    await sql`create index model_metric_run on tracking.model_metric (workspace, run)`.execute(db)
    await sql`create index run_model_model on tracking.run_model (workspace, logged_model)`.execute(db)
    await sql`
      create index artifact_model on tracking.artifact (workspace, logged_model) where logged_model is not null
    `.execute(db)
    await sql`
      create table tracking.retention (
        workspace uuid not null,
        experiment int not null,
        trash_days int not null,
        expire_days int,
        keep_tag text not null,
        primary key (workspace, experiment),
        foreign key (workspace, experiment) references tracking.experiment (workspace, id)
      )
    `.execute(db)
    // The number of an experiment never comes back: the ledger and links speak of what had it.
    await sql`
      create table tracking.purged_experiment (workspace uuid not null, id int not null, primary key (workspace, id))
    `.execute(db)
    await tenantTable(db, 'tracking.retention')
    await tenantTable(db, 'tracking.purged_experiment')
  },
}
