import pg from 'pg'
import { afterAll, expect, it } from 'vitest'
import { identity } from '#modules/identity/module.ts'
import { migrationSets } from '#platform/control-plane.ts'
import { migrate } from '#platform/storage/database/migrate.ts'
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts'
import { createTracking } from './migrations/0001-create-tracking.ts'
import { tracking } from './module.ts'
import { columnsOfRow } from './pack-metrics.ts'

let database: TestDatabase
afterAll(() => database.drop())

const workspace = '00000000-0000-7000-8000-000000000001'
const run = '00000000-0000-7000-8000-000000000002'
const model = '00000000-0000-7000-8000-000000000003'

it('what was logged one row for each point is there in chunks', async () => {
  database = await createTestDatabase()
  const first = { ...tracking, migrations: { '0001-create-tracking': createTracking } }
  await migrate(database.url, migrationSets([identity, first]))
  const client = new pg.Client(database.url)
  await client.connect()
  try {
    await client.query(`
      set app.operation = 'a test';
      insert into tracking.experiment values ('${workspace}', 3, 'e', 'active', '{}', now(), now());
      insert into tracking.run values
        ('${workspace}', '${run}', 3, 'r', 'running', 'active', '2026-01-01', null, '${workspace}', '{"team": "a"}');
      insert into tracking.logged_model values
        ('${workspace}', '${model}', 3, '${run}', 'm', '', 'ready', '{}', '{}', now(), now());
      insert into tracking.param values ('${workspace}', '${run}', 'depth', '${'6'.repeat(100)}');
      insert into tracking.metric_point
        select '${workspace}', '${run}', 'loss', step, step * 10, case when step = 7 then 'NaN' else step / 3.0 end
        from generate_series(-5, 2999) step;
      insert into tracking.metric_point values ('${workspace}', '${run}', 'nan', 1, 1, 'NaN');
      insert into tracking.latest_metric values
        ('${workspace}', '${run}', 'loss', 2999, 29990, 2999 / 3.0), ('${workspace}', '${run}', 'nan', 1, 1, 'NaN');
      insert into tracking.model_metric values
        ('${workspace}', '${model}', '${run}', 'loss', 1, 1, 5), ('${workspace}', '${model}', '${run}', 'loss', 2, 1, 4)`)
    await migrate(database.url, migrationSets([identity, tracking]))
    const { rows: chunks } = await client.query(`select * from tracking.metric_chunk order by key, first_step`)
    const parts = chunks.filter(({ key }) => key === 'loss').map(columnsOfRow)
    expect(parts.map(({ steps }) => steps.length)).toEqual([1024, 1024, 957])
    const steps = parts.flatMap((part) => [...part.steps])
    expect(steps).toEqual(Array.from({ length: 3005 }, (_, index) => index - 5))
    expect(parts.flatMap((part) => [...part.timestamps])).toEqual(steps.map((step) => step * 10))
    expect(parts.flatMap((part) => [...part.values])).toEqual(steps.map((step) => (step === 7 ? Number.NaN : step / 3)))
    const { rows: metrics } = await client.query('select * from tracking.run_metric order by key')
    expect(metrics).toMatchObject([
      { key: 'loss', experiment: 3, step: '2999', value: 2999 / 3, lowest: -5 / 3, highest: 2999 / 3 },
      { key: 'nan', value: Number.NaN, lowest: null, highest: null },
    ])
    const { rows: measured } = await client.query('select * from tracking.model_metric')
    expect(measured).toMatchObject([{ key: 'loss', step: '2', value: 4, dataset_name: '' }])
    const { rows: labels } = await client.query(`
      select key, value, experiment, length(beginning) as beginning from tracking.param
      union all select key, value, experiment, length(beginning) from tracking.run_tag order by key`)
    expect(labels).toMatchObject([
      { key: 'depth', experiment: 3, beginning: 64 },
      { key: 'team', value: 'a', experiment: 3, beginning: 1 },
    ])
  } finally {
    await client.end()
  }
})
