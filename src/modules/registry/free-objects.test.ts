import { readdir, rename, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, expect, it } from 'vitest'
import { createWorkspace } from '#modules/identity/contract.ts'
import { createExperiment, createTrackingRun, recordArtifact, updateTrackingRun } from '#modules/tracking/contract.ts'
import { purgeTrash } from '#modules/tracking/trash-contract.ts'
import { systemActor } from '#platform/actor.ts'
import { freeObjects, withdrawObjects } from '#platform/kernel/contract.ts'
import { storeUpload } from '#platform/kernel/store-upload.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { deleteVersion, putModel, registerVersion } from './contract.ts'

const pave = await createTestPlatform()
const owner = new pg.Client({ connectionString: pave.databaseUrl })
await owner.connect()
afterAll(async () => {
  await owner.end()
  await pave.drop()
})

const { objects } = pave.platform.services
const other = systemActor(pave.platform.ids.next())
await pave.run(createWorkspace, { name: 'another' }, { as: other })
await pave.run(putModel, { model: 'm', spec: { owner: 'team', tier: 2, task: 'regression' } })
const { experiment } = await pave.run(createExperiment, { name: 'freed' })
const elsewhere = await pave.run(createExperiment, { name: 'elsewhere' }, { as: other })

const newRun = async () => (await pave.run(createTrackingRun, { experiment })).run
const upload = (text: string, as = systemActor(pave.workspace)) => storeUpload(pave.platform, as, text, {})
let texts = 0
const newText = () => `object ${texts++} ${'x'.repeat(1000)}`

type Free = { objects: number; bytes: number; used: number; waiting: number }
const free = async () => (await pave.finished((await pave.run(freeObjects, {})).job)) as Free

async function purge(run: string): Promise<void> {
  await pave.run(updateTrackingRun, { run, state: 'deleted' })
  await pave.finished((await pave.run(purgeTrash, { runs: [run] })).job)
}

async function released(): Promise<number> {
  return (await owner.query('select 1 from platform.released_object')).rows.length
}

/** Two days pass for the bytes of these digests, and for what was noted of all. */
async function age(digests: readonly string[]): Promise<void> {
  const then = Date.now() / 1000 - 2 * 86_400
  for (const digest of digests) await utimes(await objects.localPath(digest), then, then)
  await owner.query(`select set_config('app.operation', 'test', false)`)
  await owner.query(
    `update platform.released_object set unreferenced_since = unreferenced_since - interval '2 days'
     where unreferenced_since is not null`,
  )
}

async function bytesOnDisk(): Promise<number> {
  const root = join(objects.localDirectory, 'sha256')
  const names = (await readdir(root, { recursive: true })).filter((name) => /[0-9a-f]{64}$/.test(name))
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(root, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** What may refer to bytes, each in a way of its own. */
const references = {
  async artifact(digest: string, size: number) {
    await pave.run(recordArtifact, { owner: await newRun(), path: 'again', digest, size })
  },
  async otherWorkspace(_digest: string, _size: number, text: string) {
    const { run } = await pave.run(createTrackingRun, { experiment: elsewhere.experiment }, { as: other })
    const { digest, size } = await upload(text, other)
    await pave.run(recordArtifact, { owner: run, path: 'theirs', digest, size }, { as: other })
  },
  async files(digest: string, size: number) {
    const list = await upload(JSON.stringify([{ path: 'weights', digest, size }]))
    await pave.run(registerVersion, { model: 'm', files: list.digest })
  },
  async removedVersion(digest: string, size: number) {
    const list = await upload(JSON.stringify([{ path: 'removed', digest, size }]))
    const { ref } = await pave.run(registerVersion, { model: 'm', files: list.digest })
    await pave.run(deleteVersion, { version: ref })
  },
  async code(digest: string) {
    await pave.run(registerVersion, { model: 'm', code: digest })
  },
  async tag(digest: string) {
    await pave.run(createTrackingRun, { experiment, tags: { checkpoint: `see ${digest}!` } })
  },
}
type Reference = keyof typeof references
const kinds = Object.keys(references).filter((name): name is Reference => name in references)

it('frees what nothing refers to, and nothing else, whatever refers to it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.subarray(kinds, { maxLength: 2 }), { minLength: 4, maxLength: 8 }),
      async (objectsWith) => {
        const run = await newRun()
        const stored = []
        for (const [index, uses] of [...objectsWith, [], kinds].entries()) {
          const text = newText()
          const object = await upload(text)
          await pave.run(recordArtifact, { owner: run, path: `f${index}`, ...object })
          for (const use of uses) await references[use](object.digest, object.size, text)
          stored.push({ ...object, used: uses.length > 0 })
        }
        await purge(run)
        await age(stored.map(({ digest }) => digest))
        const [before, unused] = [await bytesOnDisk(), stored.filter(({ used }) => !used)]
        const first = await free()
        expect(first).toMatchObject({ objects: 0, waiting: unused.length })
        expect((await free()).objects).toBe(0)
        await age([])
        const bytes = unused.reduce((sum, { size }) => sum + size, 0)
        expect(await free()).toMatchObject({ objects: unused.length, bytes, waiting: 0 })
        expect(before - (await bytesOnDisk())).toBe(bytes)
        for (const { digest, used } of stored) expect(await objects.has(digest)).toBe(used)
      },
    ),
    { numRuns: 4 },
  )
}, 120_000)

it('takes an upload of bytes that were removed, and refuses to refer to them before', async () => {
  const run = await newRun()
  const text = newText()
  const object = await upload(text)
  await pave.run(recordArtifact, { owner: run, path: 'a', ...object })
  await purge(run)
  await age([object.digest])
  await free()
  await age([])
  expect(await free()).toMatchObject({ objects: 1 })
  const again = { owner: await newRun(), path: 'a', ...object }
  await expect(pave.run(recordArtifact, again)).rejects.toMatchObject({ code: 'artifact_object_unknown' })
  await upload(text)
  await pave.run(recordArtifact, again)
  expect(await buffer(await objects.open(object.digest))).toHaveLength(object.size)
})

it('keeps every upload that was acknowledged while its bytes were being removed', async () => {
  const run = await newRun()
  const all = Array.from({ length: 60 }, newText)
  const stored = await Promise.all(all.map((text) => upload(text)))
  for (const [index, object] of stored.entries()) {
    await pave.run(recordArtifact, { owner: run, path: `f${index}`, ...object })
  }
  await purge(run)
  await age(stored.map(({ digest }) => digest))
  await free()
  await age([])
  const next = await newRun()
  const uploads = all.map(async (text, index) => {
    // Without the bytes first: what was believed to be there may be refused, and must not be lost.
    const object = stored[index] ?? { digest: '', size: 0 }
    const refer = () => pave.run(recordArtifact, { owner: next, path: `f${index}`, ...object })
    if (index % 2 === 0) await upload(text)
    return refer().then(
      () => object.digest,
      () => undefined,
    )
  })
  const [freed, ...acknowledged] = await Promise.all([free(), ...uploads])
  const kept = acknowledged.filter((digest) => digest !== undefined)
  expect(kept.length).toBeGreaterThan(0)
  for (const digest of kept) expect(await objects.has(digest)).toBe(true)
  expect(freed.objects).toBeLessThanOrEqual(60 - kept.length)
})

it('goes on after a crash between the bytes and the commit', async () => {
  const run = await newRun()
  const stored = [await upload(newText()), await upload(newText()), await upload(newText())]
  for (const [index, object] of stored.entries()) {
    await pave.run(recordArtifact, { owner: run, path: `f${index}`, ...object })
  }
  await purge(run)
  const [gone = '', aside = '', whole = ''] = stored.map(({ digest }) => digest)
  await age([gone, aside, whole])
  await free()
  await age([])
  const left = await released()
  await pave.run(withdrawObjects, { digests: stored.map(({ digest }) => digest) })
  await objects.delete(gone)
  const set = join(objects.localDirectory, 'tmp', `withdrawn-${aside.slice('sha256:'.length)}`)
  await rename(await objects.localPath(aside), set)
  await objects.sweepTemp(Date.now())
  expect(await objects.has(aside)).toBe(true)
  expect((await free()).objects).toBe(2)
  expect(await released()).toBe(left - 3)
  for (const digest of [gone, aside, whole]) expect(await objects.has(digest)).toBe(false)
})

it('frees nothing when it cannot know what is in use', async () => {
  const run = await newRun()
  const object = await upload(newText())
  await pave.run(recordArtifact, { owner: run, path: 'a', ...object })
  await purge(run)
  await age([object.digest])
  await free()
  await age([])
  await owner.query('create table registry.strange (workspace uuid, what bytea)')
  const { job } = await pave.run(freeObjects, {})
  await expect(
    (async () => {
      for (;;) {
        const { rows } = await pave.platform.read(pave.workspace, (db) =>
          sql<{ error: unknown }>`select error from platform.job where id = ${job} and error is not null`.execute(db),
        )
        if (rows[0] !== undefined) return rows[0].error
      }
    })(),
  ).resolves.toMatchObject({ message: expect.stringContaining('registry.strange.what') })
  expect(await objects.has(object.digest)).toBe(true)
  await owner.query('drop table registry.strange')
  await pave.finished(job)
  expect(await objects.has(object.digest)).toBe(false)
})
