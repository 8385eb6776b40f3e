import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { PgBoss } from 'pg-boss'
import { afterAll, expect, test, vi } from 'vitest'
import { createTestDatabase } from '#testing/postgres.ts'
import { systemActor } from './actor.ts'
import type { ControlPlane } from './control-plane.ts'
import { migrationSets } from './control-plane.ts'
import { createIds } from './ids.ts'
import { cancelJob, getJob, listJobs, retryJob } from './kernel/contract.ts'
import { probe } from './probe.fixture.ts'
import { failing, late, nightly, patient, startProbeControlPlane } from './probe-jobs.fixture.ts'
import { migrate } from './storage/database/migrate.ts'

const database = await createTestDatabase({
  template: { name: 'pave probe', build: async (url) => void (await migrate(url, migrationSets([probe]))) },
})
const dataDir = await mkdtemp(join(tmpdir(), 'pave-jobs-'))
const ids = createIds(Date.now)
const workspaces = [ids.next(), ids.next()]
const [workspace = ''] = workspaces
const actor = systemActor(workspace)
let controlPlane: ControlPlane = await startProbeControlPlane(database.url, dataDir, workspaces)
afterAll(async () => {
  await controlPlane.stop()
  await database.drop()
  await rm(dataDir, { recursive: true, force: true })
})

async function start(job: string, input: unknown, afterMs?: number): Promise<string> {
  const { platform } = controlPlane
  const after: Array<() => void> = []
  const given = { job, input, actor, afterMs }
  const id = await platform.transaction(workspace, (db) => platform.jobs.start(db, given, after))
  for (const action of after) action()
  return id
}

const look = (job: string, wait = 0) => controlPlane.platform.run(getJob, { actor, input: { job, wait } })

async function ended(job: string) {
  for (;;) {
    const seen = await look(job, 5)
    if (seen.state !== 'queued' && seen.state !== 'running') return seen
  }
}

async function runs(job: string): Promise<void> {
  await vi.waitFor(
    async () => expect(await look(job)).toMatchObject({ state: 'running', progressText: 'waiting' }),
    10_000,
  )
}

async function notes(like: string, of = workspace): Promise<string[]> {
  const { rows } = await controlPlane.platform.read(of, (db) =>
    sql<{ text: string }>`select text from probe.note where text like ${`${like}%`} order by text`.execute(db),
  )
  return rows.map((row) => row.text)
}

test('a job that fails is tried again', async () => {
  const job = await start(failing.name, { times: 1 })
  expect(await ended(job)).toMatchObject({
    state: 'done',
    attempt: 2,
    result: { attempt: 2 },
    error: null,
    progress: 1,
  })
})

test('one that keeps failing is a dead letter, which an operator sees and puts back', async () => {
  const job = await start(failing.name, { times: 2 })
  expect(await ended(job)).toMatchObject({
    state: 'failed',
    attempt: 2,
    error: { code: 'internal', message: 'attempt 2 fails' },
  })
  const { items } = await controlPlane.platform.run(listJobs, { actor, input: { state: 'failed' } })
  expect(items.map((one) => one.id)).toContain(job)
  await controlPlane.platform.run(retryJob, { actor, input: { job } })
  expect(await ended(job)).toMatchObject({ state: 'done', attempt: 3, error: null })
})

test('one that takes too long is ended', async () => {
  expect(await ended(await start(late.name, {}))).toMatchObject({ state: 'failed', error: { code: 'job_timed_out' } })
})

test('an input that the job does not take is refused when it is started', async () => {
  await expect(start(patient.name, { file: 1 })).rejects.toMatchObject({ code: 'invalid_input' })
})

test('a job that is rolled back was never started', async () => {
  const { platform } = controlPlane
  const attempt = platform.transaction(workspace, async (db) => {
    await platform.jobs.start(db, { job: failing.name, input: {}, actor }, [])
    throw new Error('no')
  })
  await expect(attempt).rejects.toThrow('no')
  const { items } = await platform.run(listJobs, { actor, input: { state: 'queued' } })
  expect(items).toEqual([])
})

test('a job that is meant for later begins then', async () => {
  const later = await start('failing', {}, 1_500)
  expect((await ended(await start('failing', {}))).state).toBe('done')
  const { createdAt, startedAt, state } = await ended(later)
  expect(state).toBe('done')
  expect(Date.parse(startedAt ?? '') - Date.parse(createdAt)).toBeGreaterThanOrEqual(1_400)
})

test('a running job is cancelled at once, and can be started over', async () => {
  const file = join(dataDir, 'cancelled')
  const job = await start(patient.name, { file, name: 'cancelled' })
  await runs(job)
  expect(await look(job)).toMatchObject({ progress: 0.5 })
  await controlPlane.platform.run(cancelJob, { actor, input: { job } })
  expect(await ended(job)).toMatchObject({ state: 'cancelled', error: { code: 'job_cancelled' } })
  await writeFile(file, '')
  await controlPlane.platform.run(retryJob, { actor, input: { job } })
  expect(await ended(job)).toMatchObject({ state: 'done' })
  expect(await notes('cancelled')).toEqual(['cancelled first', 'cancelled second'])
})

test('a queued job that is cancelled never runs, and put back it runs once', async () => {
  const file = join(dataDir, 'never')
  const busy = [
    await start(patient.name, { file, name: 'busy a' }),
    await start(patient.name, { file, name: 'busy b' }),
  ]
  for (const job of busy) await runs(job)
  const job = await start(patient.name, { file, name: 'queued' })
  await controlPlane.platform.run(cancelJob, { actor, input: { job } })
  expect(await look(job)).toMatchObject({ state: 'cancelled', attempt: 0 })
  await controlPlane.platform.run(retryJob, { actor, input: { job } })
  await writeFile(file, '')
  expect(await ended(job)).toMatchObject({ state: 'done', attempt: 1 })
  for (const one of busy) expect(await ended(one)).toMatchObject({ state: 'done', attempt: 1 })
})

test('another process may have been asked to cancel', async () => {
  const job = await start(patient.name, { file: join(dataDir, 'elsewhere'), name: 'elsewhere' })
  await runs(job)
  await controlPlane.platform.transaction(workspace, (db) =>
    sql`update platform.job set cancel_requested = true where id = ${job}`.execute(db),
  )
  expect(await ended(job)).toMatchObject({ state: 'cancelled' })
})

test('jobs are listed newest first, a page at a time', async () => {
  const all = await controlPlane.platform.run(listJobs, { actor, input: { limit: 200 } })
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await controlPlane.platform.run(listJobs, { actor, input: { limit: 2, ...(cursor && { cursor }) } })
    seen.push(...page.items.map((one) => one.id))
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  expect(seen).toEqual(all.items.map((one) => one.id))
  expect(seen.length).toBeGreaterThan(5)
})

test('waiting for jobs holds no connection', async () => {
  const file = join(dataDir, 'waited')
  const job = await start(patient.name, { file, name: 'waited' })
  await runs(job)
  const waiting = Array.from({ length: 40 }, () => look(job, 20))
  expect(await look(job)).toMatchObject({ state: 'running' })
  await writeFile(file, '')
  for (const seen of await Promise.all(waiting)) expect(seen.state).toBe('done')
})

test('cron starts a job in every workspace', async () => {
  const boss = new PgBoss({
    connectionString: database.url,
    options: '-c role=pave_jobs',
    schema: 'jobs',
    supervise: false,
    schedule: false,
    migrate: false,
  })
  await boss.start()
  expect((await boss.getSchedules()).map(({ name, cron }) => [name, cron])).toContainEqual(['nightly', '0 3 * * *'])
  await boss.send(nightly.name, null)
  for (const one of workspaces)
    await vi.waitFor(async () => expect(await notes('nightly', one)).toEqual(['nightly']), 10_000)
  await boss.stop()
})

test('a clean stop puts a job back, also one that may not be retried, and the next start goes on with it', async () => {
  const file = join(dataDir, 'stopped')
  const job = await start(patient.name, { file, name: 'stopped' })
  await runs(job)
  await controlPlane.stop()
  await writeFile(file, '')
  controlPlane = await startProbeControlPlane(database.url, dataDir, workspaces)
  expect(await ended(job)).toMatchObject({ state: 'done', attempt: 2 })
  expect(await notes('stopped')).toEqual(['stopped first', 'stopped second'])
}, 30_000)

test('what a killed process was running is adopted by the next, and finished steps are not repeated', async () => {
  await controlPlane.stop()
  const program = new URL('./run-a-control-plane.fixture.ts', import.meta.url)
  const file = join(dataDir, 'killed')
  const child = fork(program, [database.url, dataDir, workspace, file], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const [job] = await once(child, 'message')
  child.kill('SIGKILL')
  await once(child, 'exit')
  await writeFile(file, '')
  controlPlane = await startProbeControlPlane(database.url, dataDir, workspaces)
  expect(await ended(String(job))).toMatchObject({ state: 'done', attempt: 2 })
  expect(await notes('killed')).toEqual(['killed first', 'killed second'])
}, 30_000)
