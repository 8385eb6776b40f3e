import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemActor } from '../../actor.ts'
import { type ControlPlane, migrationSets } from '../../control-plane.ts'
import { createIds } from '../../ids.ts'
import { getJob, verifyLedger } from '../../kernel/contract.ts'
import type { Platform } from '../../platform.ts'
import { probe, writeNote } from '../../probe.fixture.ts'
import { failing, startProbeControlPlane } from '../../probe-jobs.fixture.ts'
import { type Db, openPool, sessionOf } from './database.ts'
import { announce } from './listen.ts'
import { migrate } from './migrate.ts'
import { inTransaction } from './transaction.ts'
import { translateDatabaseError } from './translate-error.ts'

export interface DatabaseUnderTest {
  /** What requests go through. */
  databaseUrl: string
  /** The server itself, when that is a pooler. */
  directUrl?: string
}

/** What Pave needs of a database, however it is reached. `open` answers an empty one. */
export function databaseConformance(open: () => Promise<DatabaseUnderTest>): void {
  const ids = createIds(Date.now)
  const [one, other] = [ids.next(), ids.next()]
  let database: DatabaseUnderTest
  let direct: string
  let dataDir: string
  let controlPlane: ControlPlane
  let platform: Platform

  beforeAll(async () => {
    database = await open()
    direct = database.directUrl ?? database.databaseUrl
    dataDir = await mkdtemp(join(tmpdir(), 'pave-database-'))
    // Whoever comes second finds the work done, and does not do it again.
    const ran = await Promise.all([1, 2, 3].map(() => migrate(direct, migrationSets([probe]))))
    expect(ran.map((names) => names.length > 0).sort()).toEqual([false, false, true])
    controlPlane = await startProbeControlPlane(database.databaseUrl, dataDir, [one, other], database.directUrl)
    platform = controlPlane.platform
  })
  afterAll(async () => {
    await controlPlane?.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  const write = (workspace: string, text: string, idempotencyKey?: string) =>
    platform.run(writeNote, {
      actor: systemActor(workspace),
      input: { shelf: 's', text },
      ...(idempotencyKey && { idempotencyKey }),
    })
  const notesOf = async (workspace: string, like = '%') => {
    const { rows } = await platform.read(workspace, (db) =>
      sql<{ text: string }>`select text from probe.note where text like ${like} order by text`.execute(db),
    )
    return rows.map(({ text }) => text)
  }
  const whoAndWhere = async (db: Db) => {
    const { rows } = await sql<{ role: string; workspace: string; operation: string }>`
      select current_user as role, current_setting('app.workspace', true) as workspace,
             current_setting('app.operation', true) as operation
    `.execute(db)
    return rows[0]
  }

  describe('database', () => {
    it('runs every transaction in its own role and workspace, also after others broke off', async () => {
      const seen = new Set<string>()
      const turn = async (index: number) => {
        const workspace = index % 2 === 0 ? one : other
        await platform
          .transaction(workspace, async (db, operation) => {
            seen.add(operation)
            expect(await whoAndWhere(db)).toEqual({ role: 'pave_app', workspace, operation })
            if (index % 5 === 1) throw new Error('given up')
            if (index % 5 === 2) await sql`select 1 / 0`.execute(db)
            if (index % 5 === 3) await sql`set local role pave_owner`.execute(db).catch(() => {})
            if (index % 5 === 4) await sql`select set_config('app.workspace', ${one}, true)`.execute(db)
          })
          .catch((error) => expect(String(error)).toMatch(/given up|division by zero/))
      }
      await Promise.all(Array.from({ length: 200 }, (_, index) => turn(index)))
      expect(seen.size).toBe(200)
    })

    it('lends nothing of a transaction to whoever gets the session next', async () => {
      await Promise.all(Array.from({ length: 30 }, (_, index) => write(index % 2 === 0 ? one : other, `lent ${index}`)))
      const strangers = await Promise.all(
        Array.from({ length: 6 }, () =>
          asLogin(database.databaseUrl, async (client) => {
            const { rows } = await client.query(
              `select current_user = session_user as own, coalesce(current_setting('app.workspace', true), '') as workspace,
                      coalesce(current_setting('app.operation', true), '') as operation`,
            )
            return rows[0]
          }),
        ),
      )
      for (const stranger of strangers) expect(stranger).toEqual({ own: true, workspace: '', operation: '' })
    })

    it('shows a workspace its own rows alone, and takes none for another', async () => {
      await write(one, 'mine')
      expect(await notesOf(one, 'mine')).toEqual(['mine'])
      expect(await notesOf(other, 'mine')).toEqual([])
      const smuggle = platform.transaction(one, (db) =>
        sql`insert into probe.note (workspace, id, text) values (${other}, ${ids.next()}, 'smuggled')`.execute(db),
      )
      await expect(smuggle).rejects.toThrow('row-level security')
      expect(await notesOf(other, 'smuggled')).toEqual([])
    })

    it('refuses a change without an operation, and one that a reader tries', async () => {
      const pool = openPool(direct, 'pave_app', { max: 1, onError: () => {} })
      const insert = (db: Db) =>
        sql`insert into probe.note (workspace, id, text) values (${one}, ${ids.next()}, 'stray')`.execute(db)
      await expect(
        inTransaction(pool, { workspace: one, operation: '', readOnly: false }, insert),
      ).rejects.toMatchObject({
        code: 'PV001',
      })
      await pool.end()
      await expect(platform.read(one, insert)).rejects.toMatchObject({ code: '25006' })
      expect(await notesOf(one, 'stray')).toEqual([])
    })

    it('lets the app neither rewrite the ledger nor change a schema', async () => {
      for (const statement of [
        `update ledger.entry set body = ''`,
        'delete from ledger.entry',
        'insert into ledger.leaf values (0, 0, sha256(null))',
        'update ledger.head set size = 0',
        'create table probe.more (id int)',
        'alter table probe.note disable row level security',
        `insert into ledger.entry (xid, workspace, id, at, operation, body) values ('1', '${one}', '${one}', now(), '', '')`,
      ]) {
        await expect(platform.transaction(one, (db) => sql.raw(statement).execute(db))).rejects.toMatchObject({
          code: '42501',
        })
      }
    })

    it('answers a request and its repetitions with one effect', async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => write(one, 'once', 'key of once')))
      expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
      expect(await notesOf(one, 'once')).toEqual(['once'])
    })

    it('seals what was appended, densely, and the ledger verifies', async () => {
      await Promise.all(
        Array.from({ length: 40 }, (_, index) => write(index % 2 === 0 ? one : other, `sealed ${index}`)),
      )
      const look = async () => {
        await controlPlane.flushLedger()
        const { rows } = await platform.systemPool.query<{ entries: number; leaves: number; last: number }>(
          `select (select count(*) from ledger.entry) as entries, count(*) as leaves, max(ix) + 1 as last from ledger.leaf`,
        )
        return rows[0]
      }
      await expect
        .poll(
          async () => {
            const seen = await look()
            return seen !== undefined && seen.leaves >= 40 && seen.entries === seen.leaves && seen.last === seen.leaves
          },
          { timeout: 20_000 },
        )
        .toBe(true)
      const report = await platform.run(verifyLedger, { actor: systemActor(one), input: {} })
      expect(report).toMatchObject({ verified: true, problems: [] })
    })

    it('starts a job with the transaction that asked for it, and runs it once', async () => {
      const actor = systemActor(one)
      const enqueue = (db: Db) => platform.jobs.start(db, { job: failing.name, input: { times: 1 }, actor }, [])
      const dropped = platform.transaction(one, async (db) => {
        await enqueue(db)
        throw new Error('given up')
      })
      await expect(dropped).rejects.toThrow('given up')
      const id = await platform.transaction(one, enqueue)
      await expect
        .poll(() => platform.run(getJob, { actor, input: { job: id, wait: 1 } }), { timeout: 20_000 })
        .toMatchObject({ state: 'done', attempt: 2 })
      const { rows } = await sql`
        select count(*) as jobs from platform.job where job = ${failing.name}
      `.execute(platform.system)
      expect(rows).toEqual([{ jobs: 1 }])
    })

    it('tells news when a transaction commits, and never when it does not', async () => {
      const heard: unknown[] = []
      const stop = platform.events.follow(one, (event) => void (event.type === 'plan' && heard.push(event.data)))
      const say = (db: Db, text: string) =>
        announce(db, 'pave_news', JSON.stringify({ workspace: one, type: 'plan', data: { text } }))
      const undone = platform.transaction(one, async (db) => {
        await say(db, 'undone')
        throw new Error('given up')
      })
      await expect(undone).rejects.toThrow('given up')
      await platform.transaction(one, (db) => say(db, 'done'))
      await expect.poll(() => heard, { timeout: 10_000 }).toEqual([{ text: 'done' }])
      stop()
    })

    it('ends a statement that takes too long, and keeps none of its limits', async () => {
      const slow = platform.transaction(one, async (db) => {
        await sql`select set_config('statement_timeout', '50ms', true)`.execute(db)
        await sql`select pg_sleep(30)`.execute(db)
      })
      await expect(slow).rejects.toMatchObject({ code: '57014' })
      const { rows } = await platform.read(one, (db) =>
        sql`select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock`.execute(
          db,
        ),
      )
      expect(rows).toEqual([{ statement: '1min', lock: '15s' }])
    })

    it('says that it is away when a session is ended in the middle of a write, keeps nothing of it, and goes on', async () => {
      const broken = platform.transaction(one, async (db) => {
        await sql`insert into probe.note (workspace, id, text) values (${one}, ${ids.next()}, 'half')`.execute(db)
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)
        await asLogin(direct, (client) => client.query('select pg_terminate_backend($1)', [rows[0]?.pid]))
        await sql`insert into probe.note (workspace, id, text) values (${one}, ${ids.next()}, 'half')`.execute(db)
      })
      const error = await broken.catch((reason: unknown) => reason)
      expect(translateDatabaseError(error)).toMatchObject({ code: 'database_unavailable', status: 503 })
      await write(one, 'whole')
      expect([await notesOf(one, 'half'), await notesOf(one, 'whole')]).toEqual([[], ['whole']])
    })

    it('answers times as ISO 8601 and counts as numbers', async () => {
      const { rows } = await platform.read(one, (db) =>
        sql`select '2001-03-01T12:00:00.25+02'::timestamptz as at, count(*) as n from (values (1), (2)) as v`.execute(
          db,
        ),
      )
      expect(rows).toEqual([{ at: '2001-03-01T10:00:00.250Z', n: 2 }])
    })
  })
}

async function asLogin<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(sessionOf(url, undefined))
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
