import { execFile } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { chooseAccount } from '#platform/storage/database/embedded/account.ts'
import { issueCertificate, newTlsKey } from '#platform/tls/issue-certificate.ts'
import { freePort, type OutsideProgram, required } from './outside-program.ts'

const installed = '/usr/lib/postgresql'

/** The directory of the programs of the distribution's PostgreSQL. */
export function debianPostgres(): OutsideProgram {
  const versions = existsSync(installed) ? readdirSync(installed).filter((name) => Number(name) >= 15) : []
  const [path] = versions
    .map((version) => join(installed, version, 'bin'))
    .filter((bin) => existsSync(join(bin, 'pg_ctl')))
  return required(path === undefined ? { missing: `no PostgreSQL 15 or newer is in ${installed}` } : { path })
}

export interface PostgresServer {
  port: number
  directory: string
  /** Of a superuser, over TCP without TLS. */
  url(database?: string, login?: string): string
  /** The authority that signed the server's certificate, in a file. */
  authorityFile: string
  createDatabase(name: string, owner?: string): Promise<string>
  /** Runs statements as a superuser. */
  administer(text: string, database?: string): Promise<pg.QueryResult>
  /** Each session at once and without a word, as a crash would. */
  stop(mode: 'immediate' | 'fast'): Promise<void>
  start(): Promise<void>
}

const host = '127.0.0.1'
const password = 'pave of the tests'

/** A cluster of the test's own, as its distribution would set it up: TCP, passwords, TLS beside plain text, durable writes. */
export async function startPostgres(
  bin: string,
  cleanUp: (work: () => Promise<void>) => void = onTestFinished,
  settings: Record<string, string> = {},
): Promise<PostgresServer> {
  const root = await mkdtemp(join(tmpdir(), 'pave-postgres-'))
  await chmod(root, 0o711)
  const account = await chooseAccount(join(root, 'none'))
  const run = async (program: string, args: readonly string[]) =>
    promisify(execFile)(join(bin, program), [...args], {
      cwd: '/',
      env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
      ...account,
    })
  const own = async (path: string, text: string, mode = 0o600) => {
    await writeFile(path, text, { mode })
    if (account !== undefined) await chown(path, account.uid, account.gid)
  }
  if (account !== undefined) await chown(root, account.uid, account.gid)
  await own(join(root, 'password'), password)
  const directory = join(root, 'cluster')
  const authentication = ['--auth=scram-sha-256', `--pwfile=${join(root, 'password')}`]
  await run('initdb', [
    `--pgdata=${directory}`,
    '--username=postgres',
    '--encoding=UTF8',
    '--locale=C',
    ...authentication,
  ])
  const certificates = makeCertificates()
  const authorityFile = join(root, 'authority.pem')
  await own(authorityFile, certificates.authority, 0o644)
  await own(join(directory, 'server.crt'), certificates.server)
  await own(join(directory, 'server.key'), certificates.key)
  const port = await freePort()
  const all = {
    listen_addresses: host,
    port: String(port),
    unix_socket_directories: '',
    ssl: 'on',
    max_connections: '200',
    ...settings,
  }
  await own(
    join(directory, 'postgresql.auto.conf'),
    Object.entries(all)
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(''),
  )
  const control = (...args: string[]) => run('pg_ctl', ['--pgdata', directory, '--wait', '--timeout=60', ...args])
  const start = async () => void (await control('start', '--log', join(root, 'log')))
  const stop = async (mode: string) => void (await control('stop', '--mode', mode))
  cleanUp(async () => {
    await stop('immediate').catch(() => {})
    await rm(root, { recursive: true, force: true })
  })
  await start()
  const server: PostgresServer = {
    port,
    directory,
    authorityFile,
    url: (database = 'postgres', login = 'postgres') =>
      `postgresql://${login}:${encodeURIComponent(password)}@${host}:${port}/${database}`,
    async createDatabase(name, owner) {
      await server.administer(`create database ${name}${owner === undefined ? '' : ` owner ${owner}`}`)
      return server.url(name, owner)
    },
    async administer(text, database) {
      const client = new pg.Client({ connectionString: server.url(database) })
      await client.connect()
      try {
        return await client.query(text)
      } finally {
        await client.end()
      }
    },
    stop,
    start,
  }
  return server
}

/** A role that may log in, and nothing else. */
export async function createLogin(server: PostgresServer, name: string, attributes = 'noinherit'): Promise<void> {
  await server.administer(`create role ${name} login ${attributes} password '${password}'`)
}

function makeCertificates() {
  const [authorityKey, key] = [newTlsKey(), newTlsKey()]
  const issuer = { commonName: 'authority of the tests', privateKey: authorityKey }
  const [from, until] = [Date.now() - 86_400_000, Date.now() + 86_400_000]
  const issue = (commonName: string, of: typeof key, names?: string[]) =>
    issueCertificate({ commonName, publicKey: createPublicKey(of), issuer, from, until, ...(names && { names }) })
  return {
    authority: issue(issuer.commonName, authorityKey),
    server: issue('127.0.0.1', key, [host]),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
