import pg from 'pg'

export const runs = 1_000_000
export const metrics = 20
export const params = 10

/** Written past the operations, which would take hours; indexes and keys are taken off and put on again. */
export async function seed(databaseUrl: string, workspace: string, experiment: number): Promise<void> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    await client.query(
      `set session_replication_role = replica; set synchronous_commit = off; set maintenance_work_mem = '512MB'`,
    )
    const definitions = await takeIndexesOff(client)
    const id = `('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid`
    const started = `timestamptz '2020-01-01' + i * interval '1 minute'`
    // Whatever looks random is the same in every run.
    const random = (salt: string) => `(('x' || substr(md5(i || ':' || ${salt}), 1, 8))::bit(32)::bigint / 4294967296.0)`
    const all = `generate_series(1, ${runs}) i`
    const labels = {
      team: `'team ' || i % 50`,
      commit: `md5(i::text)`,
      sweep: `'sweep-' || i % 1000 || '/' || i`,
    }
    const tags = Object.entries(labels)
    await client.query(
      `
      insert into tracking.run (workspace, id, experiment, name, status, state, started_at, author, tags)
      select $1, ${id}, $2, 'run ' || i, 'finished', case when i % 97 = 0 then 'deleted' else 'active' end, ${started}, $1,
             jsonb_build_object(${tags.map(([key, value]) => `'${key}', ${value}`).join(', ')})
      from ${all}`,
      [workspace, experiment],
    )
    for (const [key, value] of tags) {
      await client.query(
        `
        insert into tracking.run_tag (workspace, run, experiment, started_at, key, value)
        select $1, ${id}, $2, ${started}, '${key}', ${value} from ${all}`,
        [workspace, experiment],
      )
    }
    await client.query(
      `
      insert into tracking.param (workspace, run, experiment, started_at, key, value)
      select $1, ${id}, $2, ${started}, 'param_' || p, case p when 0 then 'value ' || i % 10 when 1 then md5(i::text)
             when 2 then 'rare ' || i % 20000 else 'value ' || i % (p * 7) end
      from ${all} cross join generate_series(0, ${params - 1}) p`,
      [workspace, experiment],
    )
    await client.query(
      `
      insert into tracking.run_metric (workspace, run, experiment, key, step, timestamp, value, lowest, highest)
      select $1, ${id}, $2, 'metric_' || m, 10, 1700000000000 + i, ${random('m')}, 0, 1
      from ${all} cross join generate_series(0, ${metrics - 1}) m`,
      [workspace, experiment],
    )
    for (const definition of definitions) await client.query(definition)
    await client.query('vacuum analyze tracking.run, tracking.run_tag, tracking.param, tracking.run_metric')
  } finally {
    await client.end()
  }
}

/** Keys and indexes of the tables of values; answers the statements that put them on again. */
async function takeIndexesOff(client: pg.Client): Promise<string[]> {
  const tables = `('tracking.run_tag'::regclass, 'tracking.param'::regclass, 'tracking.run_metric'::regclass)`
  const { rows } = await client.query<{ off: string; on: string }>(`
    select format('alter table %s drop constraint %I', conrelid::regclass, conname) as off,
           format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as on
    from pg_constraint where contype = 'p' and conrelid in ${tables}
    union all
    select format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    from pg_index where not indisprimary and indrelid in ${tables}`)
  for (const { off } of rows) await client.query(off)
  return rows.map(({ on }) => on)
}
