import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import pg from 'pg'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openDataDirectory } from '../../../data-directory.ts'
import { locateBinaries } from './binaries.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './start-embedded-postgres.ts'

const log = pino({ level: 'silent' })
const root = process.geteuid?.() === 0

let base: string
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'pave-test-'))
  await chmod(base, 0o711)
})
afterAll(() => rm(base, { recursive: true, force: true }))

async function start(dataDir: string): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, log })
  onTestFinished(() => postgres.stop())
  return postgres
}

async function connect(postgres: EmbeddedPostgres): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: postgres.superuserUrl('postgres') })
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

async function query(postgres: EmbeddedPostgres, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: postgres.superuserUrl('postgres') })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

/** A process of its own that starts PostgreSQL as Pave does. */
async function startElsewhere(dataDir: string): Promise<{ pave: ChildProcess; postmaster: number }> {
  const pave = spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import pino from 'pino'
       import { startEmbeddedPostgres } from '#platform/storage/database/embedded/start-embedded-postgres.ts'
       const postgres = await startEmbeddedPostgres({ dataDir: process.argv[1], log: pino({ level: 'silent' }) })
       console.log(postgres.pid)`,
      dataDir,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  onTestFinished(() => void pave.kill('SIGKILL'))
  const [line] = await once(createInterface(pave.stdout), 'line')
  return { pave, postmaster: Number(line) }
}

/** A zombie is dead, however long it takes somebody to notice. */
async function alive(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({ stdout: 'Z' }))
  return !stdout.includes('Z')
}

const children = async (pid: number | undefined) =>
  (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').map(Number)

describe('one data directory, in order', () => {
  let dataDir: string
  beforeAll(async () => {
    dataDir = (await openDataDirectory(join(base, 'data'), { command: 'vitest' })).path
  })

  test('a fresh start gives a durable UTF-8 server on a private socket, and no TCP port', async () => {
    await mkdir(join(dataDir, 'postgres-unfinished-abc'))
    await writeFile(join(dataDir, 'postgres-unfinished-abc', 'PG_VERSION'), '18\n')
    const postgres = await start(dataDir)
    const [settings] = await query(
      postgres,
      `select current_setting('server_encoding') as encoding, current_setting('fsync') as fsync,
         current_setting('listen_addresses') as addresses, datlocprovider as provider, datlocale as locale
       from pg_database where datname = 'postgres'`,
    )
    expect(settings).toEqual({ encoding: 'UTF8', fsync: 'on', addresses: '', provider: 'b', locale: 'C.UTF-8' })
    expect((await stat(postgres.socketDir)).mode & 0o777).toBe(0o700)
    await expect(stat(join(dataDir, 'postgres-unfinished-abc'))).rejects.toThrow('ENOENT')
    await query(postgres, 'create table acknowledged (n int)')
    await postgres.stop()
    expect(await alive(postgres.pid)).toBe(false)
    expect(await postgres.exited).toBeUndefined()
    expect(await readFile(join(dataDir, 'logs', 'postgres.log'), 'utf8')).toContain('database system is shut down')
  })

  test('PostgreSQL killed: back with what it acknowledged, though a backend of it hangs on', async () => {
    const postgres = await start(dataDir)
    const hanging = await connect(postgres)
    const { rows } = await hanging.query('select pg_backend_pid() as pid')
    await query(postgres, 'insert into acknowledged values (1)')
    const before = postgres.pid
    process.kill(rows[0].pid, 'SIGSTOP')
    process.kill(before, 'SIGKILL')
    await vi.waitFor(async () => expect(await query(postgres, 'select n from acknowledged')).toEqual([{ n: 1 }]), {
      timeout: 30_000,
      interval: 20,
    })
    expect(postgres.pid).not.toBe(before)
    expect(await alive(rows[0].pid)).toBe(false)
  })

  test('a backend killed: PostgreSQL recovers by itself', async () => {
    const postgres = await start(dataDir)
    const victim = await connect(postgres)
    const { rows } = await victim.query('select pg_backend_pid() as pid')
    process.kill(rows[0].pid, 'SIGKILL')
    await vi.waitFor(() => query(postgres, 'select 1'), { timeout: 10_000, interval: 20 })
  })

  test('Pave killed: PostgreSQL stops by itself', async () => {
    const { pave, postmaster } = await startElsewhere(dataDir)
    expect(await alive(postmaster)).toBe(true)
    pave.kill('SIGKILL')
    await vi.waitFor(async () => expect(await alive(postmaster)).toBe(false), { timeout: 10_000, interval: 20 })
  })

  test.runIf(process.platform === 'linux')(
    'Pave and the guard of its PostgreSQL killed: the next start ends the orphan and goes on',
    async () => {
      const { pave, postmaster } = await startElsewhere(dataDir)
      for (const pid of await children(pave.pid)) if (pid !== postmaster) process.kill(pid, 'SIGKILL')
      pave.kill('SIGKILL')
      await once(pave, 'exit')
      expect(await alive(postmaster)).toBe(true)
      const postgres = await start(dataDir)
      expect(await alive(postmaster)).toBe(false)
      expect(await query(postgres, 'select n from acknowledged')).toEqual([{ n: 1 }])
    },
  )

  test.runIf(process.platform === 'linux').each([
    // The shell becomes `sleep`, which waits for no child, before its child ends.
    ['a killed postmaster that stays a zombie', 'sleep 0.1 & echo $!; exec sleep 100', ''],
    ['a process that got the number of a killed postmaster', 'sleep 100 & echo $!; wait', 'sleep'],
  ])('%s keeps nobody out', async (_, script, command) => {
    const { uid, gid } = await stat(join(dataDir, 'postgres'))
    const other = spawn('/bin/sh', ['-c', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
      ...(root && { uid, gid }),
    })
    onTestFinished(() => void process.kill(-Number(other.pid), 'SIGKILL'))
    const [pid] = await once(createInterface(other.stdout), 'line')
    await vi.waitFor(async () => expect((await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')[0]).toBe(command))
    const socketLock = join(dataDir, 'run', 'postgres', '.s.PGSQL.5432.lock')
    for (const lock of [join(dataDir, 'postgres', 'postmaster.pid'), socketLock]) {
      await writeFile(lock, `${pid}\n${join(dataDir, 'postgres')}\n`)
      await chown(lock, uid, gid)
    }
    expect(await query(await start(dataDir), 'select n from acknowledged')).toEqual([{ n: 1 }])
  })

  test('a server that does not stay up is given up, with what it said', async () => {
    const postgres = await start(dataDir)
    const control = join(dataDir, 'postgres', 'global', 'pg_control')
    const bytes = await readFile(control)
    await writeFile(control, 'not a control file')
    process.kill(postgres.pid, 'SIGKILL')
    expect(await postgres.exited).toMatchObject({
      code: 'postgres_start_failed',
      message: expect.stringContaining('pg_control'),
    })
    await expect(startEmbeddedPostgres({ dataDir, log })).rejects.toMatchObject({ code: 'postgres_start_failed' })
    await writeFile(control, bytes)
  })

  test('a cluster of another major version is left alone', async () => {
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '17\n')
    await expect(startEmbeddedPostgres({ dataDir, log })).rejects.toMatchObject({
      code: 'postgres_version_mismatch',
      message: expect.stringContaining('PostgreSQL 17'),
    })
  })
})

test('binaries without links, which others cannot reach, are copied; the socket of a long path lies elsewhere', async () => {
  const closed = join(base, 'closed')
  await mkdir(closed, { mode: 0o700 })
  const { native, version } = await locateBinaries()
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'))
  const left = new Set(links.map(({ target }: { target: string }) => join(native, '..', target)))
  await cp(native, join(closed, 'native'), { recursive: true, filter: (path) => !left.has(path) })

  const { path: dataDir } = await openDataDirectory(join(base, 'long'.repeat(25)), { command: 'vitest' })
  const said: string[] = []
  const postgres = await startEmbeddedPostgres({
    dataDir,
    log,
    binaries: { native: join(closed, 'native'), version },
    onProgress: (message) => said.push(message),
    settings: { fsync: 'off' },
  })
  onTestFinished(() => postgres.stop())
  onTestFinished(() => rm(postgres.socketDir, { recursive: true, force: true }))
  expect(said).toEqual(['Copying PostgreSQL to where it can run', 'Creating the database', 'Starting PostgreSQL'])
  expect(await query(postgres, 'select 1 as n')).toEqual([{ n: 1 }])
  expect(Buffer.byteLength(join(postgres.socketDir, '.s.PGSQL.5432'))).toBeLessThan(104)
})

test.runIf(root)('root starts it as somebody else, who owns the cluster', async () => {
  const { uid } = await stat(join(base, 'data', 'postgres'))
  expect(uid).toBeGreaterThan(0)
})
