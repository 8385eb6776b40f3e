import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '#testing/postgres.ts'
import { openPool, sessionOf } from './database.ts'
import { migrate } from './migrate.ts'
import { inTransaction } from './transaction.ts'
import { translateDatabaseError } from './translate-error.ts'

const workspace = '00000000-0000-7000-8000-000000000001'

describe.each([
  { sessions: 'that pipeline', pipeline: true },
  { sessions: 'that a pooler may lend', pipeline: false },
])('one transaction on sessions $sessions', ({ pipeline }) => {
  let database: Awaited<ReturnType<typeof createTestDatabase>>
  let pool: pg.Pool
  let owner: pg.Client
  const scope = { workspace, operation: workspace, readOnly: false }
  const read = { ...scope, readOnly: true }

  beforeAll(async () => {
    database = await createTestDatabase({
      template: { name: 'kernel', build: async (url) => void (await migrate(url, [])) },
    })
    pool = openPool(database.url, 'pave_app', { max: 1, onError() {}, pipeline })
    owner = new pg.Client(sessionOf(database.url, undefined))
    await owner.connect()
    await owner.query('create table public.note (text text primary key, length int not null default 0)')
    await owner.query('grant all on public.note to pave_app')
  })
  afterAll(async () => {
    await pool.end()
    await owner.end()
    await database.drop()
  })

  const notes = () =>
    inTransaction(pool, read, async (db) => {
      const { rows } = await sql<{ text: string }>`select text from public.note order by text`.execute(db)
      return rows.map(({ text }) => text)
    })

  it('commits what it did with what was given for the commit', async () => {
    const answer = await inTransaction(pool, scope, async (db, atCommit) => {
      atCommit(sql`insert into public.note values ('last', (select count(*) from public.note where text = 'first'))`)
      await sql`insert into public.note values ('first')`.execute(db)
      return 'done'
    })
    expect(answer).toBe('done')
    expect((await owner.query("select length from public.note where text = 'last'")).rows).toEqual([{ length: 1 }])
  })

  it('commits nothing when what was given for the commit fails, and says why', async () => {
    const failing = inTransaction(pool, scope, async (db, atCommit) => {
      await sql`insert into public.note values ('never')`.execute(db)
      atCommit(sql`insert into public.note values ('first')`)
      atCommit(sql`insert into public.note values ('nor this')`)
    })
    await expect(failing).rejects.toMatchObject({ code: '23505' })
    expect(await notes()).toEqual(['first', 'last'])
  })

  it('commits nothing when a statement failed that nobody minded', async () => {
    const minded = inTransaction(pool, scope, async (db) => {
      await sql`insert into public.note values ('never')`.execute(db)
      await sql`select 1 / 0`.execute(db).catch(() => {})
    })
    await expect(minded).rejects.toThrow(/rolled back instead/)
    expect(await notes()).toEqual(['first', 'last'])
  })

  it('says what kept it from beginning', async () => {
    const stranger = openPool(database.url, 'pave_system', { max: 1, onError() {}, pipeline })
    stranger.on('connect', (client) => void client.query('set session authorization pave_system'))
    const refused = inTransaction(stranger, scope, (db) => sql`insert into public.note values ('never')`.execute(db))
    await expect(refused).rejects.toThrow(/permission denied to set role|must be member/)
    await stranger.end()
    expect(await notes()).toEqual(['first', 'last'])
  })

  it('leaves nothing of itself to the next one on its session', async () => {
    await inTransaction(pool, scope, (db) => sql`select set_config('app.left', 'behind', true)`.execute(db))
    await inTransaction(pool, read, async (db) => void (await sql`select 1`.execute(db)))
    const { rows } = await pool.query(`
      select current_setting('app.left', true) as left, current_setting('app.workspace', true) as workspace,
             current_setting('transaction_read_only') as read_only
    `)
    expect(rows).toEqual([{ left: '', workspace: '', read_only: 'off' }])
  })

  it('answers the same when a statement has come often, and goes on when a migration changes what it answers', async () => {
    const lengths = () =>
      inTransaction(pool, scope, async (db) => {
        const { rows } = await sql<{ length: unknown }>`
          select length from public.note where text = ${'last'} and ${pipeline}::boolean is not null
        `.execute(db)
        return rows
      })
    for (let times = 0; times < 40; times++) expect(await lengths()).toEqual([{ length: 1 }])
    const { rows } = await pool.query(
      `select count(*) as prepared from pg_prepared_statements where statement like '%boolean is not null%'`,
    )
    expect(rows).toEqual([{ prepared: pipeline ? 1 : 0 }])
    await owner.query('alter table public.note alter column length type text')
    if (pipeline) {
      const outdated = await lengths().catch((error: unknown) => translateDatabaseError(error))
      expect(outdated).toMatchObject({ code: 'database_unavailable' })
    }
    expect(await lengths()).toEqual([{ length: '1' }])
  })
})
