import { execFileSync, spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyLedger } from '#platform/kernel/contract.ts'
import { createClient } from '#platform/surfaces/client.ts'
import { eventually } from '../support/wait.ts'
import { freePort, type Running, start } from './outside-program.ts'
import { type Shared, says, shareDatabase, startServer, startWorker, tokenOf } from './several-processes.ts'
import { debianPostgres, type PostgresServer, startPostgres } from './start-postgres.ts'
import { startSteadyWriter } from './steady-writer.ts'

/** The last commit of version 0.1, which knows neither `pave server` nor a data directory that is shared. */
const before = '730d766'
const root = join(import.meta.dirname, '../..')
const postgres = debianPostgres()
const found = spawnSync('git', ['-C', root, 'cat-file', '-e', `${before}^{commit}`]).status === 0
if (!found) console.log(`skipped: the commit ${before} of the version before is not in this copy of the repository`)

const cleanUps: Array<() => Promise<void>> = []
const cleanUp = (work: () => Promise<void>) => void cleanUps.push(work)

describe.skipIf(!found || 'missing' in postgres)('from the version before, under load', () => {
  let database: PostgresServer
  let old: Shared
  beforeAll(async () => {
    database = await startPostgres('path' in postgres ? postgres.path : '', cleanUp)
    old = shareDatabase(await database.createDatabase('upgraded'), await temporary('old'), cleanUp)
  })
  afterAll(async () => {
    for (const work of cleanUps.reverse()) await work()
  })

  async function temporary(name: string): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), `pave-upgrade-${name}-`))
    cleanUp(() => rm(directory, { recursive: true, force: true }))
    await chmod(directory, 0o711)
    return directory
  }

  async function startOld(): Promise<{ url: string; process: Running }> {
    const tree = await temporary('tree')
    const archive = execFileSync('git', ['-C', root, 'archive', before], { maxBuffer: 1024 ** 3 })
    execFileSync('tar', ['x', '-C', tree], { input: archive })
    await symlink(join(root, 'node_modules'), join(tree, 'node_modules'))
    const port = await freePort()
    const args = [join(tree, 'src/cli.ts'), 'up', '--no-serve']
    const running = start(process.execPath, args, { ...old.env, PAVE_PORT: String(port) }, cleanUp)
    await says(running, 'Sign in once')
    return { url: `http://127.0.0.1:${port}`, process: running }
  }

  /** A data directory that leads to the old one's, which its holder shares with nobody. */
  async function besideOld(): Promise<Shared> {
    const dataDir = await temporary('new')
    for (const part of ['keys', 'objects', 'predictions', 'ledger']) {
      await mkdir(join(old.dataDir, part), { recursive: true })
      await symlink(join(old.dataDir, part), join(dataDir, part))
    }
    return shareDatabase(old.env.DATABASE_URL ?? '', dataDir, cleanUp, {
      ONLINE_URL: `lmdb://${join(old.dataDir, 'online')}`,
    })
  }

  it('loses and refuses no request, and the ledger goes on', { timeout: 240_000 }, async () => {
    const leaving = await startOld()
    const token = await tokenOf(old.dataDir)
    let balanced = [leaving.url]
    const writer = startSteadyWriter({ servers: () => balanced, token, name: 'upgraded' })
    const more = async (count: number) => {
      const then = { acknowledged: writer.acknowledged.length, reads: writer.reads }
      await eventually(
        () => writer.acknowledged.length > then.acknowledged + count && writer.reads > then.reads + count,
      )
    }
    await more(50)

    const beside = await besideOld()
    const server = await startServer(beside)
    const worker = await startWorker(beside, server.url)
    // The version before, on the schema of this one.
    await more(50)
    balanced = [leaving.url, server.url]
    await more(50)
    balanced = [server.url, leaving.url]
    await more(50)
    leaving.process.child.kill('SIGTERM')
    await eventually(() => leaving.process.child.exitCode !== null)
    expect(leaving.process.child.exitCode, leaving.process.said()).toBe(0)
    await more(50)
    await writer.stop()
    expect(writer.refused).toEqual([])
    expect([...writer.repeated.unavailable]).toEqual([])
    const { rows } = await database.administer(
      `select s.id, count(*)::int as n from ledger.entry e join ledger.subject s on s.entry = e.id and s.kind = 'model'
       where e.operation = 'put-model' and e.body::jsonb ->> 'outcome' = 'done' group by s.id`,
      'upgraded',
    )
    const effects = new Map(rows.map((row) => [row.id, row.n]))
    expect(writer.acknowledged.filter((model) => effects.get(model) !== 1)).toEqual([])
    const admin = createClient({ url: server.url, token })
    expect(await admin.call(verifyLedger, {})).toMatchObject({ verified: true, problems: [] })
    expect((await fetch(`${worker.url}/health`)).status).toBe(200)
  })
})
