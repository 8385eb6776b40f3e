import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { tenantTable } from '#platform/storage/database/database.ts'

/**
 * Points stood in one row each, with an index over all of their columns. Now a batch is one row as it came, and many
 * batches become chunks by key. A column is a text of doubles, the most significant byte first, as `float8send` writes
 * them; steps and timestamps fit a double exactly.
 */
export const keepMetricsInChunks: Migration = {
  async up(db) {
    await sql`
      create table tracking.metric_batch (
        workspace uuid not null,
        run uuid not null,
        digest bytea not null,
        keys text[] not null,
        ends int[] not null,
        points int not null,
        steps bytea not null,
        timestamps bytea not null,
        values bytea not null,
        primary key (workspace, run, digest),
        foreign key (workspace, run) references tracking.run (workspace, id)
      )
    `.execute(db)
    await sql`
      create table tracking.metric_chunk (
        workspace uuid not null,
        run uuid not null,
        key text not null,
        id uuid not null,
        first_step bigint not null,
        last_step bigint not null,
        points int not null,
        steps bytea not null,
        timestamps bytea not null,
        values bytea not null,
        primary key (workspace, run, key, first_step, id),
        foreign key (workspace, run) references tracking.run (workspace, id)
      )
    `.execute(db)
    // One row for each key of each run, so that neither a search nor a page reads a history.
    await sql`
      create table tracking.run_metric (
        workspace uuid not null,
        run uuid not null,
        key text not null,
        experiment int not null,
        step bigint not null,
        timestamp bigint not null,
        value double precision not null,
        lowest double precision,
        highest double precision,
        primary key (workspace, run, key),
        foreign key (workspace, run) references tracking.run (workspace, id)
      )
    `.execute(db)
    await sql`
      insert into tracking.metric_chunk
        (workspace, run, key, id, first_step, last_step, points, steps, timestamps, values)
      select workspace, run, key, gen_random_uuid(), min(step), max(step), count(*),
             string_agg(float8send(step), ''::bytea order by step, timestamp, value),
             string_agg(float8send(timestamp), ''::bytea order by step, timestamp, value),
             string_agg(float8send(value), ''::bytea order by step, timestamp, value)
      from (
        select *, row_number() over (partition by workspace, run, key order by step, timestamp, value) - 1 as ix
        from tracking.metric_point
      ) point
      group by workspace, run, key, ix / 1024
    `.execute(db)
    await sql`
      insert into tracking.run_metric (workspace, run, key, experiment, step, timestamp, value, lowest, highest)
      select latest.workspace, latest.run, latest.key, run.experiment, latest.step, latest.timestamp, latest.value,
             best.lowest, best.highest
      from tracking.latest_metric latest
      join tracking.run run on run.workspace = latest.workspace and run.id = latest.run
      left join (
        select workspace, run, key, min(value) as lowest, max(value) as highest
        from tracking.metric_point where value <> 'NaN' group by workspace, run, key
      ) best on best.workspace = latest.workspace and best.run = latest.run and best.key = latest.key
    `.execute(db)
    // The latest of each key, run and dataset is all that is ever told of a logged model.
    await sql`
      create table tracking.measured_model (
        workspace uuid not null,
        logged_model uuid not null,
        run uuid not null,
        key text not null,
        dataset_name text not null,
        dataset_digest text not null,
        step bigint not null,
        timestamp bigint not null,
        value double precision not null,
        primary key (workspace, logged_model, run, key, dataset_name, dataset_digest),
        foreign key (workspace, logged_model) references tracking.logged_model (workspace, id),
        foreign key (workspace, run) references tracking.run (workspace, id)
      )
    `.execute(db)
    await sql`
      insert into tracking.measured_model
        (workspace, logged_model, run, key, dataset_name, dataset_digest, step, timestamp, value)
      select distinct on (workspace, logged_model, run, key)
             workspace, logged_model, run, key, '', '', step, timestamp, value
      from tracking.model_metric order by workspace, logged_model, run, key, step desc, timestamp desc, value desc
    `.execute(db)
    await sql`drop table tracking.metric_point, tracking.latest_metric, tracking.model_metric`.execute(db)
    await sql`alter table tracking.measured_model rename to model_metric`.execute(db)
    for (const table of ['metric_batch', 'metric_chunk']) {
      for (const column of ['steps', 'timestamps', 'values']) {
        // Doubles hardly compress, and what is not compressed can be read in part.
        await sql`
          alter table ${sql.table(`tracking.${table}`)} alter column ${sql.id(column)} set storage external
        `.execute(db)
      }
    }
    for (const table of ['metric_batch', 'metric_chunk', 'run_metric', 'model_metric']) {
      await tenantTable(db, `tracking.${table}`)
    }
  },
}
