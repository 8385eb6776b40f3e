import { createHash, randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** The socket on which the test run's own process answers with the url of its PostgreSQL. */
    postgresSocket: string
  }
}

export interface TestDatabase {
  url: string
  /** Ends the sessions that are left, then the database. */
  drop(): Promise<void>
}

/** Templates are built one at a time: the roles that they make belong to the whole server. */
const templateLock = 7_283_003

/**
 * A database of its own on the test run's PostgreSQL: empty, or a copy of a template that the first caller of that name
 * builds. `build` must have closed its sessions when it resolves.
 */
export async function createTestDatabase(
  options: { template?: { name: string; build(url: string): Promise<void> } } = {},
): Promise<TestDatabase> {
  const server = await serverUrl()
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await administer(server, async (client) => {
    const template = options.template ? await ensureTemplate(client, server, options.template) : 'template0'
    await client.query(`create database ${name} template ${template} strategy file_copy`)
  })
  return {
    url: urlOf(server, name),
    drop: () => administer(server, (client) => client.query(`drop database if exists ${name} with (force)`)),
  }
}

/** Starts the server when the first test of the run asks. */
async function serverUrl(): Promise<string> {
  const answer = await text(connect(inject('postgresSocket')))
  if (!answer.startsWith('postgresql:')) throw new Error(`The PostgreSQL of the tests did not start: ${answer}`)
  return answer
}

/** Built under another name, so that a template which exists is whole. */
async function ensureTemplate(
  client: pg.Client,
  server: string,
  template: { name: string; build(url: string): Promise<void> },
): Promise<string> {
  const name = `template_${createHash('sha256').update(template.name).digest('hex').slice(0, 16)}`
  await client.query('select pg_advisory_lock($1)', [templateLock])
  try {
    const found = await client.query('select from pg_database where datname = $1', [name])
    if (found.rowCount === 0) {
      await client.query(`drop database if exists ${name}_unfinished with (force)`)
      await client.query(`create database ${name}_unfinished template template0 strategy file_copy`)
      await template.build(urlOf(server, `${name}_unfinished`))
      await client.query(`alter database ${name}_unfinished rename to ${name}`)
      // A session in a template would fail every copy of it.
      await client.query(`alter database ${name} with allow_connections false`)
    }
  } finally {
    await client.query('select pg_advisory_unlock($1)', [templateLock])
  }
  return name
}

async function administer(server: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

/** The server's url names the database `postgres`. */
function urlOf(server: string, database: string): string {
  return server.replace('/postgres?', `/${database}?`)
}
