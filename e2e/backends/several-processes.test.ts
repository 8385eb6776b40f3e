import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { putDataset } from '#modules/datasets/contract.ts'
import {
  getOnlineFeatures,
  pushEvents,
  putEntity,
  putFeatureService,
  putFeatureView,
} from '#modules/feature-store/contract.ts'
import { createToken } from '#modules/identity/contract.ts'
import { getRun, putPipeline, startRun } from '#modules/pipelines/contract.ts'
import { putModel } from '#modules/registry/contract.ts'
import { putEndpoint } from '#modules/releases/contract.ts'
import { openAnalytics } from '#platform/analytics/duckdb.ts'
import { verifyLedger } from '#platform/kernel/contract.ts'
import { type Client, createClient } from '#platform/surfaces/client.ts'
import { startStepServer } from '../support/step-server.ts'
import { eventually } from '../support/wait.ts'
import { followEvents } from './follow-events.ts'
import { freePort } from './outside-program.ts'
import {
  type Shared,
  type Started,
  says,
  shareDatabase,
  startPaveProcess,
  startServer,
  startWorker,
  tokenOf,
} from './several-processes.ts'
import { debianPostgres, type PostgresServer, startPostgres } from './start-postgres.ts'
import { startSteadyWriter } from './steady-writer.ts'

const postgres = debianPostgres()
const cleanUps: Array<() => Promise<void>> = []
const cleanUp = (work: () => Promise<void>) => void cleanUps.push(work)

describe.skipIf('missing' in postgres)('two servers and two workers on one database', () => {
  let database: PostgresServer
  let shared: Shared
  let servers: Started[]
  let workers: Started[]
  let token: string
  let admin: Client

  // All four at once, on an empty database: whatever has to be made once is.
  beforeAll(async () => {
    database = await startPostgres('path' in postgres ? postgres.path : '', cleanUp)
    const url = await database.createDatabase('shared')
    const dataDir = await temporary()
    shared = shareDatabase(url, dataDir, cleanUp)
    const ports = [await freePort(), await freePort()]
    const balancer = `http://127.0.0.1:${ports[1]}`
    const starting = Promise.all(ports.map((port) => startServer(shared, port)))
    workers = await Promise.all([1, 2].map(() => startWorker(shared, balancer)))
    servers = await starting
    token = await tokenOf(dataDir)
    admin = createClient({ url: balancer, token })
  }, 120_000)
  afterAll(async () => {
    for (const work of cleanUps.reverse()) await work()
  })

  async function temporary(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'pave-several-'))
    cleanUp(() => rm(directory, { recursive: true, force: true }))
    await chmod(directory, 0o711)
    return directory
  }

  async function count(text: string): Promise<number> {
    const { rows } = await database.administer(`select count(*)::int as n from ${text}`, 'shared')
    return rows[0]?.n
  }

  async function startRunOf(pipeline: string, reports: Array<string[]>): Promise<string> {
    const steps = reports.map((run, index) => ({ name: `step-${index}`, run, cache: false }))
    await admin.call(putPipeline, { pipeline, spec: { steps } })
    return (await admin.call(startRun, { pipeline }, { idempotencyKey: pipeline })).run
  }

  async function ended(run: string) {
    return eventually(async () => {
      const now = await admin.call(getRun, { run })
      return now.state !== 'queued' && now.state !== 'running' && now
    }, 100)
  }

  it('found one workspace and one administrator', async () => {
    expect(await count('identity.workspace')).toBe(1)
    expect(await count(`identity.principal where name = 'admin'`)).toBe(1)
    for (const { url } of servers) expect((await fetch(`${url}/health`)).status).toBe(200)
    for (const { url } of workers) expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' })
  })

  it('what does not belong beside them is refused', async () => {
    const refusals = await Promise.all([
      refused(['up', '--no-serve'], shared.env),
      refused(['server'], { ...shared.env, PAVE_DATA_DIR: await temporary() }),
      refused(['server'], { ...shared.env, DATABASE_URL: '' }),
      refused(['worker'], shared.env),
    ])
    expect(refusals).toEqual([
      expect.stringContaining('data_directory_in_use'),
      expect.stringContaining('database_of_another_ledger'),
      expect.stringContaining('DATABASE_URL and PAVE_DATA_DIR'),
      expect.stringContaining('need PAVE_URL'),
    ])
  })

  async function refused(args: string[], env: Record<string, string>): Promise<string> {
    const running = startPaveProcess(args, { ...env, PAVE_PORT: String(await freePort()) }, cleanUp)
    await eventually(() => running.child.exitCode !== null)
    expect(running.child.exitCode).not.toBe(0)
    return running.said()
  }

  it('each entry is sealed once and told of by both, each subscriber and each job runs once', {
    timeout: 120_000,
  }, async () => {
    const following = await Promise.all(servers.map(({ url }) => followEvents(url, token)))
    const clients = servers.map(({ url }) => createClient({ url, token }))
    await admin.call(putModel, { model: 'served', spec: { owner: 'ada', tier: 4, task: 'regression' } })
    await admin.call(putEndpoint, { environment: 'prod', endpoint: 'one', spec: { model: 'served' } })
    const published = await count(`ledger.entry where operation = 'publish-plan'`)
    const steps = await startStepServer([])
    const names = Array.from({ length: 8 }, (_, index) => `once-${index}`)
    const runs = await Promise.all(names.map((name) => startRunOf(name, [steps.reports(name)])))
    // Every token is news for the subscriber that keeps serving plans current.
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        clients[index % 2]?.call(createToken, { principal: 'admin', name: `token ${index}` }),
      ),
    )
    for (const run of runs) expect(await ended(run)).toMatchObject({ state: 'done' })
    expect([...steps.reported].sort()).toEqual(names)
    await eventually(async () => (await count(`ledger.entry where operation = 'publish-plan'`)) >= published + 40)
    expect(await count(`platform.job where job = 'run-pipeline' and attempt <> 1`)).toBe(0)
    const sealed = await eventually(async () => {
      const [entries, leaves] = [await count('ledger.entry'), await count('ledger.leaf')]
      return entries === leaves && entries
    })
    for (const { seen, stop } of following) {
      await eventually(() => seen.at(-1)?.leaf === sealed - 1)
      const [first = 0] = seen.map(({ leaf }) => leaf)
      expect(seen.map(({ leaf }) => leaf)).toEqual(Array.from({ length: sealed - first }, (_, index) => first + index))
      stop()
    }
    expect(await count(`ledger.entry where operation = 'publish-plan'`)).toBe(published + 40)
    expect(await admin.call(verifyLedger, {})).toMatchObject({ verified: true, problems: [] })
  })

  it('events that are pushed to both at once are all counted', { timeout: 120_000 }, async () => {
    const [first] = servers.map(({ url }) => createClient({ url, token }))
    await declareSpending(first ?? admin)
    const at = new Date(Date.now() - 7_200_000).toISOString()
    const clients = servers.map(({ url }) => createClient({ url, token }))
    const push = (index: number) =>
      clients[index % 2]?.call(pushEvents, {
        dataset: 'payments',
        batch: `batch ${index % 100}`,
        columns: { at: [at, at], card: ['a', 'b'], amount: [1, 2] },
      })
    // Each batch is sent twice, once to each server.
    await Promise.all(Array.from({ length: 200 }, (_, index) => push(index < 100 ? index : index + 1)))
    const { rows } = await admin.call(getOnlineFeatures, {
      featureService: 'fraud',
      rows: ['a', 'b'].map((card) => ({ at: new Date().toISOString(), card })),
    })
    expect(rows).toEqual([[100], [200]])
  })

  it('one of each is killed under load: nothing acknowledged is lost, and the others go on', {
    timeout: 180_000,
  }, async () => {
    const [dying, living] = servers
    const [dyingWorker, livingWorker] = workers
    // So that all the runs are the other worker's.
    livingWorker?.process.child.kill('SIGSTOP')
    const steps = await startStepServer(['slow-0', 'slow-1', 'slow-2', 'slow-3'])
    const runs = await Promise.all(
      [0, 1, 2, 3].map((n) => startRunOf(`slow-${n}`, [steps.reports(`slow-${n}`), steps.reports(`after-${n}`)])),
    )
    await eventually(() => steps.reported.filter((name) => name.startsWith('slow')).length === 4)
    livingWorker?.process.child.kill('SIGCONT')
    const following = await followEvents(living?.url ?? '', token)
    const all = servers.map(({ url }) => url)
    const writer = startSteadyWriter({ servers: () => all, token, name: 'killed' })
    await eventually(() => writer.acknowledged.length > 50)
    await Promise.all([dying?.process.kill(), dyingWorker?.process.kill()])
    const then = writer.acknowledged.length
    await eventually(() => writer.acknowledged.length > then + 50)
    steps.open()
    for (const run of runs) expect(await ended(run)).toMatchObject({ state: 'done', error: null })
    expect(await count(`platform.job where job = 'run-pipeline' and attempt > 1`)).toBe(4)
    await writer.stop()
    expect(writer.refused).toEqual([])
    expect(writer.repeated.unavailable).toEqual(new Set())
    expect([...steps.reported].sort()).toEqual([0, 1, 2, 3].flatMap((n) => [`after-${n}`, `slow-${n}`]).sort())
    for (const model of writer.acknowledged) expect(await effects(model), model).toBe(1)
    const last = writer.acknowledged.at(-1)
    await eventually(() => following.seen.some(({ subjects }) => subjects.some(({ id }) => id === last)))
    const leaves = following.seen.map(({ leaf }) => leaf)
    expect(leaves).toEqual(leaves.map((_, index) => (leaves[0] ?? 0) + index))
    following.stop()
    expect(await admin.call(verifyLedger, {})).toMatchObject({ verified: true, problems: [] })
  })

  /** A dataset has a source, although nothing is read from it here. */
  async function emptyParquet(): Promise<Buffer> {
    const directory = await temporary()
    const limits = { memoryLimitMb: 256, threads: 1, timeoutMs: 30_000, maxChildren: 1 }
    const analytics = await openAnalytics({ tempDir: join(directory, 'temp'), directories: [directory], ...limits })
    const file = join(directory, 'payments.parquet')
    await analytics.run(
      `COPY (SELECT now()::TIMESTAMP AS at, '' AS card, 0.0::DOUBLE AS amount LIMIT 0) TO '${file}' (FORMAT parquet)`,
    )
    await analytics.close()
    return readFile(file)
  }

  async function declareSpending(client: Client): Promise<void> {
    const body = new Uint8Array(await emptyParquet())
    const source = await (await client.raw('POST', '/api/v1/objects', { body })).json()
    await client.call(putDataset, {
      dataset: 'payments',
      spec: {
        source,
        timeColumn: 'at',
        columns: { at: { type: 'timestamp' }, card: { type: 'string' }, amount: { type: 'double' } },
      },
    })
    await client.call(putEntity, { entity: 'card', spec: { joinKeys: [{ name: 'card', type: 'string' }] } })
    await client.call(putFeatureView, {
      view: 'spending',
      spec: {
        entity: 'card',
        dataset: 'payments',
        keys: { card: 'card' },
        timestamp: 'at',
        aggregations: [{ name: 'spent_24h', function: 'sum', column: 'amount', window: '24h', hop: '1h' }],
      },
    })
    await client.call(putFeatureService, {
      featureService: 'fraud',
      spec: {
        request: [
          { name: 'at', type: 'timestamp' },
          { name: 'card', type: 'string' },
        ],
        timestampField: 'at',
        features: [{ view: 'spending', keys: { card: 'card' }, features: { spent: 'spent_24h' } }],
      },
    })
  }

  const effects = (model: string) =>
    count(`ledger.entry e where e.operation = 'put-model' and e.body::jsonb ->> 'outcome' = 'done'
           and exists (select from ledger.subject s where s.entry = e.id and s.id = '${model}')`)

  it('a server that is asked to stop answers what it was asked', { timeout: 60_000 }, async () => {
    const leaving = await startServer(shared)
    const writer = startSteadyWriter({ servers: () => [leaving.url, servers[1]?.url ?? ''], token, name: 'leaving' })
    await eventually(() => writer.acknowledged.length > 50)
    leaving.process.child.kill('SIGTERM')
    await says(leaving.process, 'stopping')
    await eventually(() => leaving.process.child.exitCode !== null)
    expect(leaving.process.child.exitCode).toBe(0)
    const then = writer.acknowledged.length
    await eventually(() => writer.acknowledged.length > then + 20)
    await writer.stop()
    expect(writer.refused).toEqual([])
    for (const model of writer.acknowledged) expect(await effects(model), model).toBe(1)
  })
})
