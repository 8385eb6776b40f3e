import { fork } from 'node:child_process'
import { once } from 'node:events'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { createTestPlatform } from '#testing/platform.ts'
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts'
import { migrationSets } from '../../control-plane.ts'
import { probe } from '../../probe.fixture.ts'
import { type MigrationSet, migrate } from './migrate.ts'
import { kernelMigrations } from './migrations/index.ts'

const databases: TestDatabase[] = []
afterAll(() => Promise.all(databases.map((database) => database.drop())))

async function emptyDatabase(): Promise<string> {
  const database = await createTestDatabase()
  databases.push(database)
  return database.url
}

async function query(url: string, text: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

const sets = migrationSets([probe])

const schemaOf = (url: string) =>
  query(
    url,
    `select table_schema, table_name, column_name, data_type, is_nullable from information_schema.columns
     where table_schema not in ('pg_catalog', 'information_schema') order by 1, 2, 3`,
  )

test('runs what is new, in order, and then nothing', async () => {
  const url = await emptyDatabase()
  const ran = await migrate(url, sets)
  expect(ran).toEqual([...Object.keys(kernelMigrations).map((name) => `platform/${name}`), 'probe/0001-create-probe'])
  expect(await migrate(url, sets)).toEqual([])
})

test('processes that migrate one database at once do it once', async () => {
  const url = await emptyDatabase()
  const program = new URL('./migrate-in-a-process.fixture.ts', import.meta.url)
  const ran = await Promise.all(
    [1, 2].map(async () => {
      const child = fork(program, [url], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
      const [message] = await once(child, 'message')
      return Number(message)
    }),
  )
  expect(ran.sort()).toEqual([0, Object.keys(kernelMigrations).length + 1])
})

test('databases of one cluster are migrated at once: the roles are shared, and so are collisions', async () => {
  const urls = await Promise.all([1, 2, 3, 4].map(emptyDatabase))
  await Promise.all(urls.map((url) => migrate(url, sets)))
  for (const url of urls) expect(await migrate(url, sets)).toEqual([])
})

test('a migration that fails leaves nothing of itself, and says which it was', async () => {
  const url = await emptyDatabase()
  const broken: MigrationSet = {
    schema: 'broken',
    migrations: {
      '0001-break': {
        async up(db) {
          await sql`create table broken.half (id int)`.execute(db)
          await sql`select 1 / 0`.execute(db)
        },
      },
    },
  }
  await expect(migrate(url, [broken])).rejects.toMatchObject({
    code: 'migration_failed',
    message: expect.stringContaining('broken/0001-break'),
  })
  expect(await query(url, `select 1 from pg_tables where schemaname = 'broken' and tablename = 'half'`)).toEqual([])
})

test('a database of a newer Pave is refused', async () => {
  const url = await emptyDatabase()
  const newer: MigrationSet = {
    schema: 'later',
    migrations: { '0001-now': { up: async () => {} }, '0002-later': { up: async () => {} } },
  }
  await migrate(url, [newer])
  const { '0001-now': now } = newer.migrations
  if (now === undefined) throw new Error('there is a first migration')
  await expect(migrate(url, [{ schema: 'later', migrations: { '0001-now': now } }])).rejects.toMatchObject({
    code: 'migration_failed',
    hint: expect.stringContaining('newer'),
  })
})

test('a database of the version before, with its rows, becomes what a new one is', async () => {
  const suite = await createTestPlatform()
  const all = migrationSets(suite.platform.modules.filter((module) => module.name !== 'platform'))
  await suite.drop()
  const first = ({ schema, migrations }: MigrationSet): MigrationSet => ({
    schema,
    migrations: Object.fromEntries(Object.entries(migrations).sort().slice(0, 1)),
  })
  const [old, fresh] = [await emptyDatabase(), await emptyDatabase()]
  const ran = await migrate(old, all.map(first), first({ schema: 'platform', migrations: kernelMigrations }).migrations)
  expect(ran.every((name) => name.includes('/0001-'))).toBe(true)
  await query(
    old,
    `select set_config('app.operation', 'test', false);
     insert into platform.job (workspace, id, job, input, actor, state, created_at)
     values (gen_random_uuid(), gen_random_uuid(), 'old', '{}', '{}', 'done', now())`,
  )
  const later = await migrate(old, all)
  expect(later.length).toBeGreaterThan(0)
  await migrate(fresh, all)
  expect(await schemaOf(old)).toEqual(await schemaOf(fresh))
  expect(await query(old, 'select job, state from platform.job')).toEqual([{ job: 'old', state: 'done' }])
})
