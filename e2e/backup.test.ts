import { spawn } from 'node:child_process'
import { appendFile, copyFile, cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { getRun, putPipeline, startRun } from '#modules/pipelines/contract.ts'
import { listModels, putModel } from '#modules/registry/contract.ts'
import { listBackups, Manifest } from '#platform/backup/manifest.ts'
import { verifyBackup } from '#platform/backup/verify-backup.ts'
import { listEntries, verifyLedger } from '#platform/kernel/contract.ts'
import { type Client, createClient } from '#platform/surfaces/client.ts'
import { postmasterOf, processesOf } from './support/processes.ts'
import { cli, createPlace, kill, type Pave, type Place, pave, startPave } from './support/start-pave.ts'
import { startStepServer } from './support/step-server.ts'
import { question, serveTinyModel } from './support/tiny-project.ts'
import { eventually } from './support/wait.ts'

// One Pave for the whole file, backed up while it works; then its machine is lost.
const cleanUps: Array<() => Promise<void>> = []
const passphrase = { PAVE_BACKUP_PASSPHRASE: 'correct horse' }
let lost: Place
let backups: string

beforeAll(async () => {
  backups = await mkdtemp(join(tmpdir(), 'pave-backups-'))
  cleanUps.push(() => rm(backups, { recursive: true, force: true }))
  lost = await createPlace((work) => cleanUps.push(work))
})
afterAll(async () => {
  for (const work of cleanUps) await work()
})

const restored = async (name?: string): Promise<{ place: Place; said: string }> => {
  const place = await createPlace()
  const from = name === undefined ? backups : join(backups, name)
  const { code, stdout, stderr } = await pave(place, ['restore', from], passphrase)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return { place, said: stdout }
}

test('a backup of a Pave at work comes back, and serves', { timeout: 180_000 }, async () => {
  let running = await startPave(lost)
  await serveTinyModel(lost, running)
  const steps = await startStepServer(['slow'])
  const run = await startThreeSteps(running, steps.reports)
  await eventually(() => steps.reported.includes('slow'))
  const writer = startWriter(running.admin)
  await eventually(() => writer.acknowledged.length > 20)
  const before = [...writer.acknowledged]

  const taken = await pave(lost, ['backup', '--to', backups, '--json'], passphrase)
  expect(taken).toMatchObject({ code: 0 })
  const summary = JSON.parse(taken.stdout)
  expect(summary).toMatchObject({ problems: [], keysEncrypted: true, objects: 1, reused: 0 })
  const then = writer.acknowledged.length
  await eventually(() => writer.acknowledged.length > then + 50)
  await writer.stop()
  const { token } = running
  const generation = await generationOf(running)
  const afterwards = await eventually(async () => {
    const entries = await running.admin.call(listEntries, { limit: 1 })
    const { leaf } = entries.items[0] ?? { leaf: null }
    const checkpoints = await readFile(join(lost.dataDir, 'ledger', 'checkpoints'), 'utf8')
    return leaf !== null && checkpoints.includes(`\n${leaf + 1}\n`) && leaf + 1
  })
  const witnessed = join(backups, 'witnessed-checkpoints')
  await copyFile(join(lost.dataDir, 'ledger', 'checkpoints'), witnessed)
  await loseMachine(lost, running)

  const place = await createPlace()
  const said = await pave(place, ['restore', backups, '--checkpoints', witnessed], passphrase)
  expect(said).toMatchObject({ code: 0, stdout: expect.stringContaining('is restored into') })
  running = await startPave(place)
  // Tokens of before go on working, and so does what they are for.
  const admin = createClient({ url: place.url, token })
  const models = await modelsOf(admin)
  expect(models).toEqual(expect.arrayContaining(before))
  expect(models.length).toBeLessThan(writer.acknowledged.length)
  // Each model has its entry, and each entry its model: both are of one moment.
  expect((await enteredModels(admin)).sort()).toEqual([...models].sort())

  const answer = await eventually(async () => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const body = JSON.stringify(question('after the restore', new Date('2026-01-01T10:00:00Z')))
    const response = await fetch(`${place.inferenceUrl}/v2/models/tiny/infer`, { method: 'POST', headers, body }).catch(
      () => undefined,
    )
    return response?.status === 200 && ((await response.json()) as { outputs: Array<{ data: number[] }> })
  })
  expect(answer.outputs[0]?.data).toEqual([22])
  await eventually(async () => (await generationOf(running)) > generation + 1_000_000)

  const report = await admin.call(verifyLedger, {})
  expect(report).toMatchObject({ verified: true, problems: [] })
  const extra = afterwards - sealedIn(await readManifestOf(backups))
  expect(report.statements).toEqual([expect.stringContaining(`checkpoints were signed of ${extra} entries more`)])
  const online = await pave(place, ['ledger', 'verify'])
  expect(online).toMatchObject({ code: 0, stdout: expect.stringContaining('is not in this ledger') })

  // The run goes on where it was; what was done is not done again.
  steps.open()
  const ended = await eventually(async () => {
    const now = await admin.call(getRun, { run })
    return now.state !== 'queued' && now.state !== 'running' && now
  })
  expect(ended).toMatchObject({ state: 'done' })
  expect(steps.reported.filter((name) => name === 'first')).toHaveLength(1)
  expect(steps.reported.filter((name) => name === 'last')).toHaveLength(1)

  const examined = await pave(place, ['doctor', '--json'])
  const { findings } = JSON.parse(examined.stdout)
  expect(findings.filter(({ level }: { level: string }) => level === 'fail')).toEqual([])
  expect(await running.stop()).toBe(0)
})

test('a second backup takes over the objects of the first, with nothing running; old ones go', {
  timeout: 120_000,
}, async () => {
  const { place } = await restored()
  const again = await pave(place, ['backup', '--to', backups, '--json'], passphrase)
  expect(again).toMatchObject({ code: 0 })
  expect(JSON.parse(again.stdout)).toMatchObject({ reused: 1, objects: 1, problems: [] })
  expect(processesOf(place.dataDir)).toEqual([])
  expect(await listBackups(backups)).toHaveLength(2)

  const kept = await pave(place, ['backup', '--to', backups, '--keep', '2', '--json'], passphrase)
  expect(JSON.parse(kept.stdout).removed).toHaveLength(1)
  const drilled = await pave(place, ['restore', backups, '--drill', '--json'], passphrase)
  expect(drilled).toMatchObject({ code: 0 })
  const report = JSON.parse(drilled.stdout)
  expect(report).toMatchObject({ problems: [], objects: 1 })
  expect(report.ledger.verified).toBe(report.ledger.entries)
  expect((await readdir(tmpdir())).filter((name) => name.startsWith('pave-drill-'))).toEqual([])
})

test('keys need a passphrase, and lie in no backup for all to read', { timeout: 60_000 }, async () => {
  const place = await createPlace()
  expect(await pave(place, ['backup', '--to', backups])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('backup_passphrase_missing'),
  })
  const wrong = { PAVE_BACKUP_PASSPHRASE: 'wrong' }
  expect(await pave(place, ['restore', backups], wrong)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('backup_passphrase_wrong'),
  })
  const newest = join(backups, (await listBackups(backups)).at(-1) ?? '')
  expect(await readFile(join(newest, 'keys.json'), 'utf8')).not.toContain('ledger.key')
  expect((await stat(join(newest, 'keys.json'))).mode & 0o077).toBe(0)
})

test('a changed, cut or missing file of every kind is found', { timeout: 120_000 }, async () => {
  const copy = await mkdtemp(join(tmpdir(), 'pave-damaged-'))
  onTestFinished(() => rm(copy, { recursive: true, force: true }))
  await cp(backups, copy, { recursive: true })
  const name = (await listBackups(copy)).at(-1) ?? ''
  const directory = join(copy, name)
  const verify = () => verifyBackup({ directory, onProgress: () => {} })
  expect((await verify()).problems).toEqual([])

  const files = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter(
      (entry) => entry.isFile() && (!entry.name.endsWith('.copy.gz') || /^(ledger|registry\.model)\b/.test(entry.name)),
    )
    .map((entry) => join(entry.parentPath, entry.name))
  const [object = ''] = await objectsIn(copy)
  for (const path of [...files, object]) {
    const honest = await readFile(path)
    const damages: Array<() => Promise<void>> = [
      () => appendFile(path, ' '),
      () => rm(path),
      ...(honest.length === 0
        ? []
        : [() => truncate(path, honest.length - 1), () => writeFile(path, flipped(honest, honest.length >> 1))]),
    ]
    for (const damage of damages) {
      await rm(path, { force: true })
      await writeFile(path, honest)
      await damage()
      const found = await verify().then(
        ({ problems }) => problems.length > 0,
        (error: { code?: string }) => error.code === 'backup_damaged' || error.code === 'backup_incomplete',
      )
      expect(found, `${path}: ${damage}`).toBe(true)
    }
    await rm(path, { force: true })
    await writeFile(path, honest)
  }
  expect((await verify()).problems).toEqual([])
  // A drill of a damaged one is red.
  await writeFile(object, 'something else')
  const place = await createPlace()
  expect(await pave(place, ['restore', copy, '--drill'], passphrase)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('backup_damaged'),
  })
  expect(await pave(place, ['restore', copy], passphrase)).toMatchObject({ code: 1 })
  expect(await pave(place, ['up'])).toMatchObject({ code: 1, stderr: expect.stringContaining('restore_unfinished') })
})

test('a backup that is killed leaves nothing that looks like one', { timeout: 120_000 }, async () => {
  const { place } = await restored()
  const to = await mkdtemp(join(tmpdir(), 'pave-cut-short-'))
  onTestFinished(() => rm(to, { recursive: true, force: true }))
  const child = spawn(process.execPath, [cli, 'backup', '--to', to], { env: { ...place.env, ...passphrase } })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await eventually(async () => (await readdir(to)).some((name) => name.startsWith('.unfinished-')), 1)
  child.kill('SIGKILL')
  await ended
  expect(await listBackups(to)).toEqual([])
  const [unfinished = ''] = (await readdir(to)).filter((name) => name.startsWith('.unfinished-'))
  const other = await createPlace()
  expect(await pave(other, ['restore', join(to, unfinished)], passphrase)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('backup_incomplete'),
  })
  expect(await pave(place, ['backup', '--to', to], passphrase)).toMatchObject({ code: 0 })
  expect((await readdir(to)).filter((name) => name.startsWith('.'))).toEqual([])
})

test('a restore that is killed is refused by `pave up`, and begun again with --force', {
  timeout: 180_000,
}, async () => {
  const place = await createPlace()
  const child = spawn(process.execPath, [cli, 'restore', backups], { env: { ...place.env, ...passphrase } })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await eventually(() => postmasterOf(place.dataDir) ?? child.exitCode ?? undefined, 1)
  expect(child.exitCode).toBe(null)
  child.kill('SIGKILL')
  await ended
  expect(await pave(place, ['up'])).toMatchObject({ code: 1, stderr: expect.stringContaining('restore_unfinished') })
  expect(await pave(place, ['restore', backups], passphrase)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('--force'),
  })
  const examined = await pave(place, ['doctor', '--json'])
  expect(examined.code).toBe(1)
  expect(JSON.parse(examined.stdout).findings).toContainEqual(expect.objectContaining({ code: 'restore-unfinished' }))
  expect(await pave(place, ['restore', backups, '--force'], passphrase)).toMatchObject({ code: 0 })
  const running = await startPave(place, ['--no-serve'])
  expect(await running.admin.call(verifyLedger, {})).toMatchObject({ verified: true, problems: [] })
  expect(await running.stop()).toBe(0)

  // What is complete is never cleared.
  expect(await pave(place, ['restore', backups, '--force'], passphrase)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('restore_target_not_empty'),
  })
})

async function loseMachine(place: Place, running: Pave): Promise<void> {
  kill(running.pid, 'SIGKILL')
  await running.ended
  for (const { pid } of processesOf(place.dataDir)) kill(pid, 'SIGKILL')
  await eventually(() => processesOf(place.dataDir).length === 0)
}

async function startThreeSteps({ admin }: Pave, reports: (name: string) => string[]): Promise<string> {
  await admin.call(putPipeline, {
    pipeline: 'three',
    spec: {
      steps: [
        { name: 'first', run: reports('first') },
        { name: 'slow', run: reports('slow'), after: ['first'] },
        { name: 'last', run: reports('last'), after: ['slow'] },
      ],
    },
  })
  return (await admin.call(startRun, { pipeline: 'three' })).run
}

/** Declares model after model; each takes a row, an entry and an answer that is kept, in one transaction. */
function startWriter(admin: Client) {
  const acknowledged: string[] = []
  let stopped = false
  const writing = (async () => {
    for (let next = 0; !stopped; next++) {
      await admin.call(putModel, { model: `written-${next}`, spec: { owner: 'ada', tier: 4, task: 'regression' } })
      acknowledged.push(`written-${next}`)
    }
  })()
  const stop = async () => {
    stopped = true
    await writing
  }
  return { acknowledged, stop }
}

async function modelsOf(admin: Client): Promise<string[]> {
  return allPages(async (cursor) => {
    const { items, nextCursor } = await admin.call(listModels, { limit: 200, ...cursor })
    return { found: items.map(({ model }) => model).filter((model) => model.startsWith('written-')), nextCursor }
  })
}

async function enteredModels(admin: Client): Promise<string[]> {
  return allPages(async (cursor) => {
    const { items, nextCursor } = await admin.call(listEntries, { operation: 'put-model', limit: 200, ...cursor })
    const found = items.flatMap(({ subjects }) => subjects.map(({ id }) => id))
    return { found: found.filter((id) => id.startsWith('written-')), nextCursor }
  })
}

async function allPages(
  page: (cursor: { cursor?: string }) => Promise<{ found: string[]; nextCursor: string | null }>,
): Promise<string[]> {
  const all: string[] = []
  for (let cursor: string | null = null; ; ) {
    const { found, nextCursor }: { found: string[]; nextCursor: string | null } = await page(
      cursor === null ? {} : { cursor },
    )
    all.push(...found)
    if (nextCursor === null) return all
    cursor = nextCursor
  }
}

async function generationOf({ admin }: Pave): Promise<number> {
  const response = await admin.raw('GET', '/internal/v1/serving-plan?environment=prod&after=0')
  const { payload } = (await response.json()) as { payload: string }
  return JSON.parse(payload).generation
}

async function readManifestOf(place: string): Promise<Manifest> {
  const newest = (await listBackups(place)).at(-1) ?? ''
  return Manifest.parse(JSON.parse(await readFile(join(place, newest, 'manifest.json'), 'utf8')))
}

const sealedIn = (manifest: Manifest): number => manifest.ledger.size

async function objectsIn(place: string): Promise<string[]> {
  const found = await readdir(join(place, 'objects', 'sha256'), { recursive: true, withFileTypes: true })
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes)
  changed.writeUInt8(changed.readUInt8(at) ^ 0x10, at)
  return changed
}
