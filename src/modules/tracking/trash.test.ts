import { sql } from 'kysely'
import { afterAll, expect, it } from 'vitest'
import { systemActor } from '#platform/actor.ts'
import { storeUpload } from '#platform/kernel/store-upload.ts'
import { createTestPlatform } from '#testing/platform.ts'
import * as contract from './contract.ts'
import { applyRetention } from './jobs.ts'
import { uuidOfLoggedModel } from './tables.ts'
import * as trashContract from './trash-contract.ts'

const pave = await createTestPlatform()
afterAll(pave.drop)

const tables = [
  ...['metric_batch', 'metric_chunk', 'run_metric', 'model_metric', 'param', 'run_tag', 'run_dataset', 'run_model'],
  ...['artifact', 'logged_model', 'run', 'retention', 'experiment'],
]

async function counts(): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const table of tables) {
    const { rows } = await pave.platform.read(pave.workspace, (db) =>
      sql<{ n: number }>`select count(*) as n from ${sql.table(`tracking.${table}`)}`.execute(db),
    )
    found[table] = rows[0]?.n ?? 0
  }
  return found
}

const upload = (text: string) => storeUpload(pave.platform, systemActor(pave.workspace), text, {})

const newExperiment = async (name: string) => (await pave.run(contract.createExperiment, { name })).experiment

/** A run with something in every table that speaks of runs, and a logged model of its own. */
async function fullRun(experiment: string, text: string) {
  const { run } = await pave.run(contract.createTrackingRun, { experiment, tags: { team: 'a' } })
  const { loggedModel } = await pave.run(contract.createLoggedModel, { experiment, run, name: 'forest' })
  const points = (key: string) =>
    Array.from({ length: 300 }, (_, step) => ({ key, value: step, step, timestamp: step, loggedModel }))
  for (let batch = 0; batch < 2; batch++) {
    await pave.run(contract.logRunData, { run, metrics: points(`loss${batch}`), params: { [`p${batch}`]: '1' } })
  }
  await pave.run(contract.recordRunLineage, {
    run,
    datasets: [{ name: 'd', digest: 'x', sourceType: 'local', source: '{}' }],
    models: [{ loggedModel, direction: 'output' }],
  })
  for (const owner of [run, loggedModel]) {
    const object = await upload(`${text} of ${owner === run ? 'run' : 'model'}`)
    await pave.run(contract.recordArtifact, { owner, path: 'model/weights.bin', ...object })
  }
  return { run, loggedModel }
}

const trash = async (input: object = {}) => (await pave.run(trashContract.listTrash, input)).items
const remove = (run: string) => pave.run(contract.updateTrackingRun, { run, state: 'deleted' })

async function purge(what: object) {
  return pave.finished((await pave.run(trashContract.purgeTrash, what)).job)
}

async function retentionJob() {
  const actor = systemActor(pave.workspace)
  const after: (() => void)[] = []
  const job = await pave.platform.transaction(pave.workspace, (db) =>
    pave.platform.jobs.start(db, { job: applyRetention.name, input: {}, actor }, after),
  )
  for (const wake of after) wake()
  return pave.finished(job)
}

it('tells what is in the trash, restores it whole, and purges it to the last row', async () => {
  const experiment = await newExperiment('purged runs')
  const before = await counts()
  const kept = await fullRun(experiment, 'kept')
  const one = await counts()
  const { run, loggedModel } = await fullRun(experiment, 'gone')
  const ada = await pave.as('ada', 'contributor')
  await pave.run(contract.updateTrackingRun, { run, state: 'deleted' }, { as: ada })
  const [item] = await trash({ experiment })
  expect(item).toMatchObject({ kind: 'run', id: run, deletedBy: ada.id, files: 2, bytes: 11 + 13, purging: false })
  expect(Date.parse(item?.purgeAt ?? '') - Date.parse(item?.deletedAt ?? '')).toBe(30 * 86_400_000)
  await remove(run)
  expect(await trash({ experiment })).toEqual([item])

  await pave.run(contract.updateTrackingRun, { run, state: 'active' })
  expect(await trash({ experiment })).toEqual([])
  await pave.run(contract.logRunData, { run, params: { again: '1' } })
  await expect(pave.run(trashContract.purgeTrash, { runs: [run] })).rejects.toMatchObject({ code: 'not_in_trash' })

  await remove(run)
  await expect(pave.run(trashContract.purgeTrash, { runs: [run] }, { as: ada })).rejects.toMatchObject({
    code: 'permission_denied',
  })
  const sum = await purge({ runs: [run] })
  expect(await counts()).toEqual(one)
  expect(sum).toMatchObject({ runs: 1, files: 2, bytes: 24 })
  await expect(pave.run(contract.getTrackingRun, { run })).rejects.toMatchObject({ code: 'tracking_run_not_found' })
  await expect(pave.run(contract.getLoggedModel, { loggedModel })).rejects.toMatchObject({
    code: 'logged_model_not_found',
  })
  expect((await pave.run(contract.getTrackingRun, { run: kept.run })).params).toEqual({ p0: '1', p1: '1' })

  await pave.run(contract.updateExperiment, { experiment, state: 'deleted' })
  expect(await trash({ experiment, kind: 'experiment' })).toMatchObject([{ files: 2, name: 'purged runs' }])
  await purge({ experiments: [experiment] })
  expect(await counts()).toEqual({ ...before, experiment: before.experiment && before.experiment - 1 })
  expect(Number(await newExperiment('purged runs'))).toBeGreaterThan(Number(experiment))
})

it('keeps logged models until they are purged themselves, and those that another run read', async () => {
  const experiment = await newExperiment('models')
  const { run, loggedModel } = await fullRun(experiment, 'model')
  await pave.run(trashContract.deleteLoggedModel, { loggedModel })
  expect(await trash({ experiment })).toMatchObject([{ kind: 'logged-model', id: loggedModel, files: 1 }])
  await pave.run(trashContract.restoreLoggedModel, { loggedModel })
  expect(await pave.run(contract.getLoggedModel, { loggedModel })).toMatchObject({ loggedModel, run })

  const reader = await pave.run(contract.createTrackingRun, { experiment })
  await pave.run(contract.recordRunLineage, { run: reader.run, models: [{ loggedModel, direction: 'input' }] })
  await remove(run)
  await purge({ runs: [run] })
  expect(await pave.run(contract.getLoggedModel, { loggedModel })).toMatchObject({ loggedModel, run: null })

  await pave.run(trashContract.deleteLoggedModel, { loggedModel })
  await purge({ loggedModels: [loggedModel] })
  expect((await pave.run(contract.getTrackingRun, { run: reader.run })).models).toEqual([])
  const left = await pave.platform.read(pave.workspace, (db) =>
    sql`select from tracking.logged_model where id = ${uuidOfLoggedModel(loggedModel)}`.execute(db),
  )
  expect(left.rows).toEqual([])
})

it('purges in bounded transactions, refuses to restore half a run, and goes on after an end at any point', async () => {
  const experiment = await newExperiment('slices')
  const { run } = await fullRun(experiment, 'sliced')
  await remove(run)
  const step = () => pave.run(trashContract.purgeTrashed, { kind: 'run', id: run, most: 3 })
  expect(await step()).toMatchObject({ left: true, rows: 0 })
  expect(await step()).toMatchObject({ left: true, rows: 3 })
  expect(await trash({ experiment })).toMatchObject([{ id: run, purging: true }])
  await expect(pave.run(contract.updateTrackingRun, { run, state: 'active' })).rejects.toMatchObject({
    code: 'being_purged',
  })
  // A purge that has begun ends, whatever the retention says.
  expect(await retentionJob()).toMatchObject({ purged: { runs: 1 } })
  expect(await trash({ experiment })).toEqual([])
  expect(await step()).toEqual({ left: false, rows: 0, files: 0, bytes: 0 })
})

it('moves ended runs to the trash unless they are pinned, and purges what was there long enough', async () => {
  const experiment = await newExperiment('expiring')
  const ended = async (daysAgo: number, name: string, tags = {}) => {
    const { run } = await pave.run(contract.createTrackingRun, { experiment, name, tags })
    const endedAt = new Date(Date.now() - daysAgo * 86_400_000).toISOString()
    await pave.run(contract.updateTrackingRun, { run, status: 'finished', endedAt })
    return run
  }
  const old = await ended(11, 'old')
  await ended(9, 'recent')
  await ended(11, 'pinned', { keep: '' })
  await pave.run(contract.createTrackingRun, { experiment, name: 'running' })
  expect(await retentionJob()).toMatchObject({ expired: 0 })
  const settings = { experiment, expireAfterDays: 10 }
  const ada = await pave.as('ada')
  const said = { ...settings, trashDays: 30, keepTag: 'keep' }
  const set = { own: true, setBy: ada.id, setAt: expect.any(String) }
  expect(await pave.run(trashContract.putRetention, settings, { as: ada })).toEqual({ ...said, ...set })
  expect(await retentionJob()).toMatchObject({ expired: 1, purged: { runs: 0 } })
  expect(await trash({ experiment })).toMatchObject([{ id: old, name: 'old' }])
  await pave.run(trashContract.putRetention, { ...settings, trashDays: 0 })
  expect(await pave.run(trashContract.getRetention, { experiment })).toMatchObject({ trashDays: 0 })
  expect(await retentionJob()).toMatchObject({ expired: 0, purged: { runs: 1 } })
  const { items } = await pave.run(contract.searchTrackingRuns, { experiments: [experiment], state: 'all' })
  expect(items.map(({ name }) => name).sort()).toEqual(['pinned', 'recent', 'running'])

  expect(await pave.run(trashContract.deleteRetention, { experiment })).toEqual({ removed: true })
  expect(await pave.run(trashContract.deleteRetention, { experiment })).toEqual({ removed: false })
  expect(await pave.run(trashContract.getRetention, { experiment })).toEqual({
    ...{ experiment, trashDays: 30, expireAfterDays: null, keepTag: 'keep' },
    ...{ own: false, setBy: null, setAt: null },
  })
})
