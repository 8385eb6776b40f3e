import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { databaseConformance } from '#platform/storage/database/conformance.ts'
import { sessionOf } from '#platform/storage/database/database.ts'
import { migrate } from '#platform/storage/database/migrate.ts'
import { pgbouncer, startPgbouncer } from './start-pgbouncer.ts'
import { createLogin, debianPostgres, type PostgresServer, startPostgres } from './start-postgres.ts'

const postgres = debianPostgres()
const pooler = pgbouncer()
const bin = 'path' in postgres ? postgres.path : ''

const cleanUps: Array<() => Promise<void>> = []
const cleanUp = (work: () => Promise<void>) => void cleanUps.push(work)
let server: PostgresServer
beforeAll(async () => {
  if (bin !== '') server = await startPostgres(bin, cleanUp)
})
afterAll(async () => {
  for (const work of cleanUps.reverse()) await work()
})

/** What the documentation asks an administrator for: a login that is neither superuser nor may make roles. */
async function prepareLogin(login: string, database: string): Promise<string> {
  await createLogin(server, login)
  await server.createDatabase(database)
  const url = server.url(database, login)
  const refusal = await migrate(url, []).catch((error: unknown) => error)
  expect(refusal).toMatchObject({ code: 'database_roles_missing' })
  const hint = refusal instanceof Error && 'hint' in refusal ? String(refusal.hint) : ''
  await server.administer(hint.slice(hint.indexOf('\n')), database)
  return url
}

describe.skipIf('missing' in postgres)('a PostgreSQL of the distribution', () => {
  describe('by a superuser', () =>
    databaseConformance(async () => ({ databaseUrl: await server.createDatabase('plain') })))

  describe('by a login without rights, over verified TLS', () => {
    databaseConformance(async () => {
      const url = await prepareLogin('pave', 'verified')
      return { databaseUrl: `${url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(server.authorityFile)}` }
    })
  })

  describe.skipIf('missing' in pooler)('by a login without rights, through a pooler in transaction mode', () => {
    databaseConformance(async () => {
      const bouncer = await startPgbouncer('path' in pooler ? pooler.path : '', server, { cleanUp })
      await server.createDatabase('pooled')
      await server.administer('grant create on database pooled to pave_owner, pave_jobs')
      return { databaseUrl: bouncer.url('pooled', 'pave'), directUrl: server.url('pooled', 'pave') }
    })
  })

  describe('TLS', () => {
    const sessions = async (query: string) => {
      const url = `${server.url('postgres')}?${query}`
      const client = new pg.Client(sessionOf(url, undefined))
      client.on('error', () => {})
      try {
        await client.connect()
        const { rows } = await client.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
        return rows[0]?.ssl
      } finally {
        await client.end().catch(() => {})
      }
    }
    const authority = () => `sslrootcert=${encodeURIComponent(server.authorityFile)}`

    it('is what sslmode says it is, as with psql', async () => {
      expect(await sessions('sslmode=disable')).toBe(false)
      expect(await sessions('sslmode=require')).toBe(true)
      expect(await sessions(`sslmode=verify-full&${authority()}`)).toBe(true)
    })

    it('refuses a server that nobody vouches for', async () => {
      await expect(sessions('sslmode=verify-full')).rejects.toThrow(/certificate/)
      await expect(migrate(`${server.url('postgres')}?sslmode=verify-full`, [])).rejects.toMatchObject({
        code: 'database_unreachable',
        message: expect.stringContaining('certificate'),
      })
    })
  })

  it('a wrong password is told as what it is', async () => {
    const url = server.url('postgres').replace(/:[^:@]*@/, ':wrong@')
    await expect(migrate(url, [])).rejects.toMatchObject({
      code: 'database_unreachable',
      message: expect.stringContaining('password authentication failed'),
    })
  })

  describe.skipIf('missing' in pooler)('a pooler where the server itself is needed', () => {
    it.each([
      ['that refuses the role of a session', {}],
      ['that drops it without a word', { ignore_startup_parameters: 'options' }],
    ])('%s is refused', async (_, more) => {
      const { url } = await startPgbouncer('path' in pooler ? pooler.path : '', server, { more })
      await expect(migrate(url('postgres'), [])).rejects.toMatchObject({
        code: 'database_not_direct',
        hint: expect.stringContaining('DATABASE_DIRECT_URL'),
      })
    })
  })
})
