import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkspace } from '#modules/identity/contract.ts'
import { identity } from '#modules/identity/module.ts'
import { systemActor } from '#platform/actor.ts'
import { recordObject } from '#platform/kernel/contract.ts'
import type { OutputOf } from '#platform/operation.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import * as contract from './contract.ts'
import { tracking } from './module.ts'

let pave: TestPlatform
beforeAll(async () => {
  pave = await createTestPlatform({ modules: [identity, tracking] })
})
afterAll(() => pave.drop())

async function newRun(name = 'run'): Promise<string> {
  return (await pave.run(contract.createTrackingRun, { experiment: '0', name })).run
}

const at = 1_700_000_000_000
const point = (key: string, value: contract.MetricValue, step = 0, timestamp = at) => ({ key, value, step, timestamp })

async function latestOf(run: string) {
  const { metrics } = await pave.run(contract.getTrackingRun, { run })
  return Object.fromEntries(metrics.map((metric) => [metric.key, metric.value]))
}

describe('experiments', () => {
  it('count up, keep their names to themselves, and are found by name', async () => {
    const first = await pave.run(contract.createExperiment, { name: 'trees' })
    const second = await pave.run(contract.createExperiment, { name: 'forests', tags: { team: 'a' } })
    expect(Number(second.experiment)).toBe(Number(first.experiment) + 1)
    for (const name of ['trees', 'Default']) {
      await expect(pave.run(contract.createExperiment, { name })).rejects.toMatchObject({ code: 'experiment_exists' })
    }
    const { items } = await pave.run(contract.listExperiments, { name: 'forests' })
    expect(items).toEqual([{ ...second, runs: 0, lastRunAt: null }])
    const rename = { experiment: second.experiment, name: 'trees' }
    await expect(pave.run(contract.updateExperiment, rename)).rejects.toMatchObject({ code: 'experiment_exists' })
    const update = { experiment: second.experiment, tags: { more: 'b' }, removeTags: ['team'] }
    expect((await pave.run(contract.updateExperiment, update)).tags).toEqual({ more: 'b' })
  })

  it('are found by filter, in order, page by page', async () => {
    for (const name of ['pine a', 'pine b', 'pine c', 'oak']) {
      await pave.run(contract.createExperiment, { name, tags: name === 'pine b' ? {} : { wood: name } })
    }
    const names = async (input: object) =>
      (await pave.run(contract.searchExperiments, input)).items.map(({ name }) => name)
    expect(await names({ filter: "name LIKE 'pine%' and not tags.wood = 'pine a'" })).toEqual(['pine c', 'pine b'])
    expect(await names({ filter: "tags.wood in ('oak') or name = 'pine b'", order: ['name'] })).toEqual([
      'oak',
      'pine b',
    ])
    expect(await names({ filter: "name ilike 'PINE%' and tags.wood is null and creation_time > 1000" })).toEqual([
      'pine b',
    ])
    expect(await names({ filter: "name like 'pine%\\\\' or name like 'oa_'" })).toEqual(['oak'])
    const first = await pave.run(contract.searchExperiments, {
      filter: "name like 'pine%'",
      order: ['name DESC'],
      limit: 2,
    })
    const rest = { filter: "name like 'pine%'", order: ['name DESC'], cursor: first.nextCursor ?? '' }
    expect([...first.items.map(({ name }) => name), ...(await names(rest))]).toEqual(['pine c', 'pine b', 'pine a'])
    for (const wrong of [{ filter: "name > 'x'" }, { order: ['tags.wood'] }, { order: ['colour'] }]) {
      await expect(names(wrong)).rejects.toMatchObject({ code: 'experiment_search_invalid' })
    }
  })

  it('made at once get different numbers', async () => {
    const names = Array.from({ length: 6 }, (_, index) => `at once ${index}`)
    const made = await Promise.all(names.map((name) => pave.run(contract.createExperiment, { name })))
    expect(new Set(made.map((one) => one.experiment)).size).toBe(names.length)
  })

  it('has a default that can be read before it is used', async () => {
    const other = { ...systemActor(pave.platform.ids.next()) }
    await pave.run(createWorkspace, { name: 'fresh' }, { as: other })
    const read = () => pave.run(contract.getExperiment, { experiment: '0' }, { as: other })
    expect((await read()).name).toBe('Default')
    await pave.run(contract.createTrackingRun, { experiment: '0' }, { as: other })
    expect((await read()).createdAt).not.toBe(new Date(0).toISOString())
  })

  it('take no runs when deleted or absent', async () => {
    const { experiment } = await pave.run(contract.createExperiment, { name: 'gone' })
    await pave.run(contract.updateExperiment, { experiment, state: 'deleted' })
    await expect(pave.run(contract.createTrackingRun, { experiment })).rejects.toMatchObject({
      code: 'experiment_deleted',
    })
    await expect(pave.run(contract.createTrackingRun, { experiment: '999' })).rejects.toMatchObject({
      code: 'experiment_not_found',
    })
    await pave.run(contract.updateExperiment, { experiment, state: 'active' })
    await pave.run(contract.createTrackingRun, { experiment })
  })
})

describe('metrics', () => {
  it('count a repeated point once, NaN and infinities included', async () => {
    const run = await newRun()
    const metrics = [point('loss', 0.5), point('loss', 'NaN', 1), point('loss', 'Infinity', 2), point('loss', 0.5)]
    expect(await pave.run(contract.logRunData, { run, metrics })).toEqual({ points: 3 })
    expect(await pave.run(contract.logRunData, { run, metrics })).toEqual({ points: 0 })
    const { items } = await pave.run(contract.listMetricPoints, { run, key: 'loss' })
    expect(items.map((one) => one.value)).toEqual([0.5, 'NaN', 'Infinity'])
  })

  it('have as their latest the largest step, then timestamp, then value, in whatever order they come', async () => {
    const run = await newRun()
    const batches = [
      [point('a', 1, 5), point('a', 9, 4)],
      [point('a', 2, 5), point('b', '-Infinity', -3)],
      [point('a', 1.5, 5), point('b', 'NaN', -4)],
      [point('c', 7, 0, at), point('c', 1, 0, at + 1)],
    ]
    for (const metrics of batches) await pave.run(contract.logRunData, { run, metrics })
    expect(await latestOf(run)).toEqual({ a: 2, b: '-Infinity', c: 1 })
  })

  it('come in pages that lose and repeat nothing', async () => {
    const run = await newRun()
    const metrics = Array.from({ length: 25 }, (_, index) => point('x', index % 5 === 0 ? 'NaN' : index, index >> 1))
    await pave.run(contract.logRunData, { run, metrics })
    const seen: unknown[] = []
    let cursor: string | null | undefined
    do {
      const page: OutputOf<typeof contract.listMetricPoints> = await pave.run(contract.listMetricPoints, {
        run,
        key: 'x',
        limit: 4,
        ...(cursor != null && { cursor }),
      })
      seen.push(...page.items.map((one) => `${one.step} ${one.value}`))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(seen.toSorted()).toEqual([...new Set(metrics.map((one) => `${one.step} ${one.value}`))].toSorted())
  })

  it('refuse keys that are paths to elsewhere', async () => {
    const run = await newRun()
    for (const key of ['../x', '/x', 'a//b', 'a/./b', 'a/', 'a;b', 'x'.repeat(251)]) {
      const attempt = pave.run(contract.logRunData, { run, metrics: [point(key, 1)] })
      await expect(attempt, key).rejects.toMatchObject({ code: 'invalid_input' })
    }
  })
})

describe('parameters', () => {
  it('never change, and may be repeated', async () => {
    const run = await newRun()
    await pave.run(contract.logRunData, { run, params: { depth: '6' } })
    await pave.run(contract.logRunData, { run, params: { depth: '6', trees: '80' } })
    const changed = { run, params: { depth: '7' }, metrics: [point('m', 1)], tags: { t: '1' } }
    await expect(pave.run(contract.logRunData, changed)).rejects.toMatchObject({
      code: 'param_changed',
      message: 'The parameter depth is 6 already, not 7',
    })
    const read = await pave.run(contract.getTrackingRun, { run })
    expect(read).toMatchObject({ params: { depth: '6', trees: '80' }, metrics: [], tags: {} })
  })
})

describe('runs', () => {
  it('take nothing when deleted', async () => {
    const run = await newRun()
    await pave.run(contract.updateTrackingRun, { run, state: 'deleted' })
    const deleted = { code: 'tracking_run_deleted' }
    await expect(pave.run(contract.logRunData, { run, tags: { a: 'b' } })).rejects.toMatchObject(deleted)
    await expect(pave.run(contract.recordRunLineage, { run })).rejects.toMatchObject(deleted)
    await expect(pave.run(contract.updateTrackingRun, { run, name: 'x' })).rejects.toMatchObject(deleted)
    await pave.run(contract.updateTrackingRun, { run, state: 'active' })
    await pave.run(contract.logRunData, { run, tags: { a: 'b' } })
  })

  it('are found by what was logged, in order, page by page', async () => {
    const { experiment } = await pave.run(contract.createExperiment, { name: 'search' })
    const values: contract.MetricValue[] = [0.7, 'NaN', 0.9, 0.8, 'Infinity']
    for (const [index, value] of values.entries()) {
      const { run } = await pave.run(contract.createTrackingRun, { experiment, name: `r${index}` })
      await pave.run(contract.logRunData, {
        run,
        metrics: [point('auc', value)],
        params: { kind: index % 2 === 0 ? 'even' : 'odd' },
        tags: { n: String(index) },
      })
    }
    const bare = await pave.run(contract.createTrackingRun, { experiment, name: 'bare' })
    expect((await pave.run(contract.listExperiments, { search: 'SEAR' })).items).toMatchObject([
      { experiment, runs: 6, lastRunAt: bare.startedAt },
    ])
    expect((await pave.run(contract.listExperiments, { search: 'se%ch' })).items).toEqual([])
    const search = (input: object) => pave.run(contract.searchTrackingRuns, { experiments: [experiment], ...input })
    const names = async (input: object) => (await search(input)).items.map((one) => one.name)
    expect(await names({ filter: 'metrics.auc > 0.75', orderBy: [{ field: 'metric', key: 'auc' }] })).toEqual([
      'r3',
      'r2',
      'r4',
    ])
    expect(await names({ filter: "params.kind = 'even' and tags.n like '%2%'" })).toEqual(['r2'])
    expect(await names({ filter: "name ilike 'BAR%'" })).toEqual(['bare'])
    for (const descending of [false, true]) {
      const orderBy = [{ field: 'metric', key: 'auc', descending }]
      const ordered: string[] = []
      let cursor: string | null | undefined
      do {
        const page = await search({ orderBy, limit: 2, ...(cursor && { cursor }) })
        ordered.push(...page.items.map((one) => one.name))
        cursor = page.nextCursor
      } while (cursor !== null)
      const numbers = descending ? ['r4', 'r2', 'r3', 'r0'] : ['r0', 'r3', 'r2', 'r4']
      expect(ordered).toEqual([...numbers, 'r1', 'bare'])
    }
    const r2 = (await pave.run(contract.searchTrackingRuns, { experiments: [experiment] })).items.find(
      ({ name }) => name === 'r2',
    )
    for (const filter of [
      "metrics.auc >= 0.7 and name = 'r2'",
      `run_id = '${r2?.run.replaceAll('-', '').toUpperCase()}'`,
      `run IN ('${r2?.run}') and status != 'FINISHED' AND startedAt > '2001-01-01' and start_time > 1000`,
      "tags.`mlflow.runName` like '_2'",
    ]) {
      expect(await names({ filter }), filter).toEqual(['r2'])
    }
    const tooMany = Array.from({ length: 101 }, (_, index) => `metrics.auc > ${index}`).join(' and ')
    for (const filter of ['metrics.auc >', "color = 'red'", "startedAt > 'soon'", 'a or b', tooMany]) {
      await expect(names({ filter }), filter).rejects.toMatchObject({ code: 'run_search_invalid' })
    }
    await expect(names({ orderBy: [{ field: 'attribute', key: 'password' }] })).rejects.toMatchObject({
      code: 'run_search_invalid',
    })
  })
})

describe('logged models', () => {
  it('are announced, completed and measured', async () => {
    const run = await newRun()
    const { loggedModel } = await pave.run(contract.createLoggedModel, { experiment: '0', run, params: { a: '1' } })
    const models = [{ loggedModel, direction: 'output' as const }]
    await pave.run(contract.recordRunLineage, { run, models })
    await pave.run(contract.logRunData, { run, metrics: [{ ...point('auc', 0.7), loggedModel }] })
    await pave.run(contract.logRunData, { run, metrics: [point('auc', 0.7)] })
    expect((await pave.run(contract.listMetricPoints, { run, key: 'auc' })).items).toHaveLength(1)
    await pave.run(contract.updateLoggedModel, { loggedModel, status: 'ready', tags: { t: 'x' } })
    const read = await pave.run(contract.getLoggedModel, { loggedModel })
    expect(read).toMatchObject({ status: 'ready', run, tags: { t: 'x' }, metrics: [{ key: 'auc', value: 0.7, run }] })
    const found = await pave.run(contract.searchLoggedModels, { experiments: ['0'], run })
    expect(found.items).toEqual([read])
    expect((await pave.run(contract.getTrackingRun, { run })).models).toEqual([{ ...models[0], step: 0 }])
    await expect(pave.run(contract.updateLoggedModel, { loggedModel, params: { a: '2' } })).rejects.toMatchObject({
      code: 'param_changed',
    })
    const unknown = [{ ...point('auc', 1), loggedModel: `m-${'0'.repeat(32)}` }]
    await expect(pave.run(contract.logRunData, { run, metrics: unknown })).rejects.toMatchObject({
      code: 'logged_model_not_found',
    })
  })
})

describe('artifacts', () => {
  async function upload(text: string) {
    return pave.run(recordObject, await pave.platform.services.objects.put(text))
  }

  it('lie in directories', async () => {
    const owner = await newRun()
    for (const path of ['model/MLmodel', 'model/data/weights', 'model.txt', 'model0', 'plot ü.png']) {
      await pave.run(contract.recordArtifact, { owner, path, ...(await upload(path)) })
    }
    const list = async (path?: string) => {
      const { items } = await pave.run(contract.listArtifacts, { owner, ...(path !== undefined && { path }) })
      return items.map((one) => `${one.path}${one.directory ? '/' : ` ${one.size}`}`)
    }
    expect(await list()).toEqual(['model/', 'model.txt 9', 'model0 6', 'plot ü.png 11'])
    expect(await list('model')).toEqual(['model/MLmodel 13', 'model/data/'])
    expect(await list('model.txt')).toEqual([])
    const page = await pave.run(contract.listArtifacts, { owner, limit: 1 })
    const next = await pave.run(contract.listArtifacts, { owner, limit: 1, cursor: page.nextCursor ?? '' })
    expect(next.items.map((one) => one.path)).toEqual(['model.txt'])
    for (const path of ['model', 'model.txt/x']) {
      const attempt = pave.run(contract.recordArtifact, { owner, path, ...(await upload('x')) })
      await expect(attempt).rejects.toMatchObject({ code: 'artifact_path_taken' })
    }
  })

  it('replace what was at their path', async () => {
    const owner = await newRun()
    for (const text of ['one', 'three']) {
      await pave.run(contract.recordArtifact, { owner, path: 'a', ...(await upload(text)) })
    }
    expect(await pave.run(contract.getArtifact, { owner, path: 'a' })).toMatchObject({ size: 5 })
    const { rows } = await sql<{ digest: string }>`select digest from platform.released_object`.execute(
      pave.platform.system,
    )
    const released = rows.map(({ digest }) => digest)
    expect(released).toContain((await upload('one')).digest)
    expect(released).not.toContain((await upload('three')).digest)
  })

  it('have no path that leads elsewhere', async () => {
    const owner = await newRun()
    const object = await upload('x')
    for (const path of ['../x', '/etc/passwd', 'a/../../x', 'a//b', './a', 'C:/x', 'a\\..\\b', 'a\0b', 'a/', '..']) {
      const attempts = [
        () => pave.run(contract.recordArtifact, { owner, path, ...object }),
        () => pave.run(contract.getArtifact, { owner, path }),
        () => pave.run(contract.listArtifacts, { owner, path }),
      ]
      for (const attempt of attempts) await expect(attempt(), path).rejects.toMatchObject({ code: 'invalid_input' })
    }
  })
})

describe('workspaces', () => {
  it('see nothing of each other', async () => {
    const stranger = systemActor(pave.platform.ids.next())
    await pave.run(createWorkspace, { name: 'strangers' }, { as: stranger })
    const run = await newRun('private')
    const { loggedModel } = await pave.run(contract.createLoggedModel, { experiment: '0', run })
    const object = await pave.run(recordObject, await pave.platform.services.objects.put('a secret'))
    await pave.run(contract.recordArtifact, { owner: run, path: 'secret', ...object })
    const unknown = { code: 'tracking_run_not_found' }
    const options = { as: stranger }
    await expect(pave.run(contract.getTrackingRun, { run }, options)).rejects.toMatchObject(unknown)
    await expect(pave.run(contract.logRunData, { run, tags: { a: 'b' } }, options)).rejects.toMatchObject(unknown)
    await expect(pave.run(contract.listArtifacts, { owner: run }, options)).rejects.toMatchObject(unknown)
    await expect(pave.run(contract.getArtifact, { owner: run, path: 'secret' }, options)).rejects.toMatchObject({
      code: 'run_artifact_not_found',
    })
    await expect(pave.run(contract.getLoggedModel, { loggedModel }, options)).rejects.toMatchObject({
      code: 'logged_model_not_found',
    })
    const { items } = await pave.run(contract.searchTrackingRuns, { experiments: ['0'], state: 'all' }, options)
    expect(items).toEqual([])
    const own = await pave.run(contract.createTrackingRun, { experiment: '0' }, options)
    const taking = pave.run(contract.recordArtifact, { owner: own.run, path: 'taken', ...object }, options)
    await expect(taking).rejects.toMatchObject({ code: 'artifact_object_unknown' })
  })

  it('let a viewer read and not write', async () => {
    const as = await pave.as('vera', 'viewer')
    const run = await newRun()
    await pave.run(contract.getTrackingRun, { run }, { as })
    await expect(pave.run(contract.logRunData, { run, tags: { a: 'b' } }, { as })).rejects.toMatchObject({
      code: 'permission_denied',
    })
    await pave.run(contract.logRunData, { run, tags: { a: 'b' } }, { as: await pave.as('carl', 'contributor') })
  })
})
