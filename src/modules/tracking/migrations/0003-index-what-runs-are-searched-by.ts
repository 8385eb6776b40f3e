import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

/**
 * Row-level security lets an index be used with leakproof operators alone, which LIKE and functions are not. So the
 * beginning of a value is a column, which is compared by its bytes; and experiment and start stand beside each value, so
 * that one index gives what an experiment has, in order.
 */
export const indexWhatRunsAreSearchedBy: Migration = {
  async up(db) {
    await sql`select set_config('app.operation', 'migration', true)`.execute(db)
    await sql`
      alter table tracking.param
        add column experiment int,
        add column started_at timestamptz,
        add column beginning text collate "C" generated always as (left(value, 64)) stored
    `.execute(db)
    await sql`
      update tracking.param set experiment = run.experiment, started_at = run.started_at
      from tracking.run run where run.workspace = param.workspace and run.id = param.run
    `.execute(db)
    await sql`
      alter table tracking.param alter column experiment set not null, alter column started_at set not null
    `.execute(db)
    await sql`
      create table tracking.run_tag (
        workspace uuid not null,
        run uuid not null,
        key text not null,
        value text not null,
        experiment int not null,
        started_at timestamptz not null,
        beginning text collate "C" generated always as (left(value, 64)) stored,
        primary key (workspace, run, key),
        foreign key (workspace, run) references tracking.run (workspace, id)
      )
    `.execute(db)
    await sql`
      insert into tracking.run_tag (workspace, run, key, value, experiment, started_at)
      select run.workspace, run.id, tag.key, tag.value, run.experiment, run.started_at
      from tracking.run run cross join lateral jsonb_each_text(run.tags) tag
    `.execute(db)
    for (const table of ['param', 'run_tag']) {
      await sql`
        create index ${sql.id(`${table}_values`)} on ${sql.table(`tracking.${table}`)}
          (workspace, experiment, key, beginning, started_at desc, run)
      `.execute(db)
    }
    await sql`create index run_metric_values on tracking.run_metric (workspace, experiment, key, value)`.execute(db)
    await tenantTable(db, 'tracking.run_tag')
    // The tags of a run are read with it, as one value; these rows are what they are found by.
    await sql`
      create function tracking.index_tags() returns trigger language plpgsql as $$
      begin
        if tg_op = 'UPDATE' then
          delete from tracking.run_tag tag
          where tag.workspace = new.workspace and tag.run = new.id and not new.tags ? tag.key;
        end if;
        insert into tracking.run_tag as tag (workspace, run, key, value, experiment, started_at)
        select new.workspace, new.id, given.key, given.value, new.experiment, new.started_at
        from jsonb_each_text(new.tags) given
        on conflict (workspace, run, key) do update set value = excluded.value where tag.value <> excluded.value;
        return null;
      end $$
    `.execute(db)
    await sql`
      create trigger index_new_tags after insert on tracking.run
      for each row when (new.tags <> '{}') execute function tracking.index_tags()
    `.execute(db)
    await sql`
      create trigger index_changed_tags after update of tags on tracking.run
      for each row when (new.tags is distinct from old.tags) execute function tracking.index_tags()
    `.execute(db)
  },
}
