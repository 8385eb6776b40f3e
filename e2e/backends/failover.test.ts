import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyLedger } from '#platform/kernel/contract.ts'
import { createClient } from '#platform/surfaces/client.ts'
import { eventually } from '../support/wait.ts'
import { followEvents } from './follow-events.ts'
import { type Shared, type Started, shareDatabase, startServer, tokenOf } from './several-processes.ts'
import { pgbouncer, startPgbouncer } from './start-pgbouncer.ts'
import { debianPostgres, type PostgresServer, startPostgres } from './start-postgres.ts'
import { startSteadyWriter } from './steady-writer.ts'

const postgres = debianPostgres()
const pooler = pgbouncer()
const cleanUps: Array<() => Promise<void>> = []
const cleanUp = (work: () => Promise<void>) => void cleanUps.push(work)

describe.skipIf('missing' in postgres)('a database that goes away in the middle of writes', () => {
  let database: PostgresServer
  beforeAll(async () => {
    database = await startPostgres('path' in postgres ? postgres.path : '', cleanUp)
  })
  afterAll(async () => {
    for (const work of cleanUps.reverse()) await work()
  })

  async function place(name: string, more: Record<string, string> = {}): Promise<Shared> {
    const dataDir = await mkdtemp(join(tmpdir(), 'pave-failover-'))
    cleanUp(() => rm(dataDir, { recursive: true, force: true }))
    await chmod(dataDir, 0o711)
    return shareDatabase(more.DATABASE_URL ?? (await database.createDatabase(name)), dataDir, cleanUp, more)
  }

  /** Breaks the database while writers are at work, and holds the outcome against what was promised. */
  async function survives(
    { dataDir }: Shared,
    { url }: Started,
    name: string,
    fail: () => Promise<void>,
  ): Promise<void> {
    const token = await tokenOf(dataDir)
    const admin = createClient({ url, token })
    const events = await followEvents(url, token)
    const writer = startSteadyWriter({ servers: () => [url], token, name })
    for (const times of [1, 2]) {
      await eventually(() => writer.acknowledged.length > 30 * times)
      await fail()
      const then = writer.acknowledged.length
      await eventually(() => writer.acknowledged.length > then + 20)
    }
    await writer.stop()
    expect(writer.refused).toEqual([])
    expect([...writer.repeated.unavailable]).toEqual(['database_unavailable'])
    const effects = await effectsOf(database, name)
    expect(writer.acknowledged.length).toBeGreaterThan(80)
    expect(Object.fromEntries(writer.acknowledged.map((model) => [model, effects.get(model)]))).toEqual(
      Object.fromEntries(writer.acknowledged.map((model) => [model, 1])),
    )
    expect(await admin.call(verifyLedger, {})).toMatchObject({ verified: true, problems: [] })
    // Whoever follows events on one connection sees what happens after the database is back.
    const last = writer.acknowledged.at(-1)
    await eventually(() => events.seen.some(({ subjects }) => subjects.some(({ id }) => id === last)))
    events.stop()
  }

  it('keeps what it acknowledged, invites to try again, and goes on by itself', { timeout: 120_000 }, async () => {
    const shared = await place('direct')
    const server = await startServer(shared)
    await survives(shared, server, 'direct', async () => {
      await database.stop('immediate')
      await database.start()
    })
  })

  it.skipIf('missing' in pooler)('does so behind a pooler in transaction mode', { timeout: 120_000 }, async () => {
    const bouncer = await startPgbouncer('path' in pooler ? pooler.path : '', database, { cleanUp })
    const direct = await database.createDatabase('pooled')
    const shared = await place('pooled', { DATABASE_URL: bouncer.url('pooled'), DATABASE_DIRECT_URL: direct })
    const server = await startServer(shared)
    await survives(shared, server, 'pooled', async () => {
      await database.stop('immediate')
      await database.start()
    })
  })
})

/** How often each model was declared, as the ledger has it. */
async function effectsOf(database: PostgresServer, name: string): Promise<Map<string, number>> {
  const { rows } = await database.administer(
    `select s.id, count(*)::int as n from ledger.entry e join ledger.subject s on s.entry = e.id and s.kind = 'model'
     where e.operation = 'put-model' and e.body::jsonb ->> 'outcome' = 'done' group by s.id`,
    name,
  )
  return new Map(rows.map((row) => [row.id, row.n]))
}
