import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { listEntries } from '#platform/kernel/contract.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { identity } from '../identity/module.ts'
import {
  deleteModel,
  getModel,
  listModels,
  moveModels,
  putModel,
  renameModel,
  searchModels,
} from '../registry/contract.ts'
import { registry } from '../registry/module.ts'
import {
  createExperiment,
  getExperiment,
  listExperiments,
  moveExperiments,
  searchExperiments,
  updateExperiment,
} from '../tracking/contract.ts'
import { importExperiment } from '../tracking/import-contract.ts'
import { tracking } from '../tracking/module.ts'
import { listFolders, renameFolder } from './contract.ts'
import { folders } from './module.ts'

const suite = await createTestPlatform({ modules: [identity, tracking, registry, folders] })
afterAll(() => suite.drop())
const { run, platform } = suite

const spec = { owner: 'ada', tier: 3, task: 'other' as const }
let made = 0

/** An experiment and a model of one name. */
async function put(folder: string): Promise<{ experiment: string; model: string }> {
  const name = `thing-${made++}`
  const { experiment } = await run(createExperiment, { name, folder })
  await run(putModel, { model: name, spec, folder })
  return { experiment, model: name }
}

const whereIs = async ({ experiment, model }: { experiment: string; model: string }) => [
  (await run(getExperiment, { experiment })).folder,
  (await run(getModel, { model })).folder,
]

const counts = (experiments: number, models = experiments, prompts = 0) => ({ experiments, models, prompts })

describe('the path of a folder', () => {
  test.each([
    ['risk'],
    ['risk/fraud/2026'],
    ['Équipe (Zürich)/पत्र/v1.2-β'],
    ['someone@example.org/notes & drafts'],
    [Array(8).fill('a').join('/')],
  ])('may be %j', async (folder) => {
    expect((await run(createExperiment, { name: `at ${folder}`, folder })).folder).toBe(folder)
  })

  test.each([
    ['/risk'],
    ['risk/'],
    ['risk//fraud'],
    ['.'],
    ['risk/../fraud'],
    ['risk/.hidden'],
    ['risk/ fraud'],
    ['risk /fraud'],
    ['risk\\fraud'],
    ['risk\u0000'],
    ['risk/\u202Efraud'],
    ['risk/%2e%2e'],
    ['<b>risk</b>'],
    [Array(9).fill('a').join('/')],
    ['a'.repeat(101)],
    [Array(6).fill('a'.repeat(90)).join('/')],
  ])('may not be %j', async (folder) => {
    await expect(run(createExperiment, { name: 'refused', folder })).rejects.toMatchObject({ code: 'invalid_input' })
    await expect(run(putModel, { model: 'refused', spec, folder })).rejects.toMatchObject({ code: 'invalid_input' })
    await expect(run(listFolders, { folder })).rejects.toMatchObject({ code: 'invalid_input' })
  })

  test('is the same however its letters are composed', async () => {
    const { experiment } = await run(createExperiment, { name: 'composed', folder: 'cafe\u0301' })
    expect((await run(getExperiment, { experiment })).folder).toBe('caf\u00e9')
    expect((await run(listExperiments, { folder: 'cafe\u0301' })).items).toHaveLength(1)
  })

  test('is no tag', async () => {
    const tags = { 'pave.folder': 'a' }
    await expect(run(createExperiment, { name: 'tagged', tags })).rejects.toMatchObject({ code: 'invalid_input' })
    await expect(run(putModel, { model: 'tagged', spec: { ...spec, tags } })).rejects.toMatchObject({
      code: 'invalid_input',
    })
  })
})

describe('a list', () => {
  test('has what is in a folder, or below it too, whatever begins alike', async () => {
    const within = await Promise.all(['list', 'list/a', 'list/a/b'].map(put))
    await Promise.all(['list-of', 'list a', 'listen', 'lis'].map(put))
    const ids = async (input: { folder: string; below?: boolean }) => {
      const experiments = (await run(listExperiments, input)).items.map(({ experiment }) => experiment)
      const models = (await run(listModels, input)).items.map(({ model }) => model)
      const found = within.flatMap(({ experiment, model }, index) => {
        expect(experiments.includes(experiment)).toBe(models.includes(model))
        return models.includes(model) ? [index] : []
      })
      expect([experiments.length, models.length]).toEqual([found.length, found.length])
      return found
    }
    expect(await ids({ folder: 'list' })).toEqual([0])
    expect(await ids({ folder: 'list', below: true })).toEqual([0, 1, 2])
    expect(await ids({ folder: 'list/a', below: true })).toEqual([1, 2])
    expect(await ids({ folder: 'list/b', below: true })).toEqual([])
    const everywhere = (await run(listModels, { folder: '', below: true, limit: 200 })).items.length
    expect(everywhere).toBe((await run(listModels, { limit: 200 })).items.length)
    expect((await run(listModels, { folder: '' })).items.map(({ folder }) => folder)).not.toContain('list')
  })

  test.each([
    ["folder = 'found/a'", [1]],
    ["folder LIKE 'found/%'", [1, 2]],
    ["folder = 'found' or folder LIKE 'found/%'", [0, 1, 2]],
    ["folder IN ('found', 'found/a/b')", [0, 2]],
    ["tags.`pave.folder` = 'found/a'", [1]],
    ["tags.`pave.folder` ILIKE 'FOUND/%'", [1, 2]],
    ["folder LIKE 'found%' and folder != 'found'", [1, 2]],
  ] as const)('is searched by %s', async (filter, expected) => {
    const where = ['found', 'found/a', 'found/a/b']
    if ((await run(listModels, { folder: 'found' })).items.length === 0) for (const folder of where) await put(folder)
    const experiments = (await run(searchExperiments, { filter, order: ['folder'] })).items
    expect(experiments.map(({ folder }) => folder)).toEqual(expected.map((index) => where[index]))
    const models = (await run(searchModels, { filter, orderBy: ['folder'] })).items
    expect(models.map(({ folder }) => folder)).toEqual(expected.map((index) => where[index]))
  })

  test('of folders is a tree with what is in each and below it, page by page', async () => {
    await Promise.all(['tree/b', 'tree/a/x', 'tree/a/x', 'tree/a b', 'tree/a'].map(put))
    await run(putModel, { model: 'greeting', spec: { ...spec, task: 'prompt' }, folder: 'tree/prompts' })
    const gone = await put('tree/gone')
    await run(updateExperiment, { experiment: gone.experiment, state: 'deleted' })
    await run(deleteModel, { model: gone.model })
    const { folder, items, nextCursor } = await run(listFolders, { folder: 'tree' })
    expect(folder).toEqual({ folder: 'tree', own: counts(0), all: counts(5, 5, 1) })
    expect(items).toEqual([
      { folder: 'tree/a', own: counts(1), all: counts(3) },
      { folder: 'tree/a/x', own: counts(2), all: counts(2) },
      { folder: 'tree/a b', own: counts(1), all: counts(1) },
      { folder: 'tree/b', own: counts(1), all: counts(1) },
      { folder: 'tree/prompts', own: counts(0, 0, 1), all: counts(0, 0, 1) },
    ])
    expect(nextCursor).toBeNull()
    const paged: string[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await run(listFolders, { folder: 'tree', limit: 2, cursor })
      paged.push(...page.items.map((one) => one.folder))
      if (page.nextCursor === null) break
      cursor = page.nextCursor
    }
    expect(paged).toEqual(items.map((one) => one.folder))
    const near = (await run(listFolders, { folder: 'tree', levels: 1 })).items.map((one) => one.folder)
    expect(near).toEqual(['tree/a', 'tree/a b', 'tree/b', 'tree/prompts'])
    const top = await run(listFolders, { levels: 1, limit: 1000 })
    expect(top.items.find((one) => one.folder === 'tree')).toEqual({
      folder: 'tree',
      own: counts(0),
      all: counts(5, 5, 1),
    })
    expect(await run(listFolders, { folder: 'not/there' })).toMatchObject({ folder: { all: counts(0) }, items: [] })
  })
})

describe('a move', () => {
  test('takes several at once, says where they were, and is taken back by it', async () => {
    const ada = await suite.as('ada', 'contributor')
    const [one, two] = [await put('from/one'), await put('from/two')]
    const experiments = [one.experiment, two.experiment]
    const done = await run(moveExperiments, { experiments, folder: 'from/two' }, { as: ada })
    expect(done).toEqual({ folder: 'from/two', moved: [{ experiment: one.experiment, from: 'from/one' }] })
    const models = await run(moveModels, { models: [one.model, two.model], folder: '' }, { as: ada })
    expect(models.moved).toEqual([
      { model: one.model, from: 'from/one' },
      { model: two.model, from: 'from/two' },
    ])
    expect(await whereIs(one)).toEqual(['from/two', ''])
    const [entry] = (await run(listEntries, { subject: `model:${one.model}` })).items
    expect(entry).toMatchObject({
      operation: 'move-models',
      actor: { id: ada.id },
      facts: { folder: '', moved: { [one.model]: 'from/one', [two.model]: 'from/two' } },
    })
    for (const { model, from } of models.moved) await run(moveModels, { models: [model], folder: from })
    for (const { experiment, from } of done.moved)
      await run(moveExperiments, { experiments: [experiment], folder: from })
    expect(await whereIs(one)).toEqual(['from/one', 'from/one'])
    expect(await whereIs(two)).toEqual(['from/two', 'from/two'])
  })

  test('takes all or none', async () => {
    const here = await put('all-or-none')
    const experiments = [here.experiment, '999999']
    await expect(run(moveExperiments, { experiments, folder: 'x' })).rejects.toMatchObject({
      code: 'experiment_not_found',
    })
    const models = [here.model, 'not there']
    await expect(run(moveModels, { models, folder: 'x' })).rejects.toMatchObject({ code: 'model_not_found' })
    expect(await whereIs(here)).toEqual(['all-or-none', 'all-or-none'])
  })

  test('is a change of one thing too, which leaves the rest of it alone', async () => {
    const here = await put('one')
    const before = await run(getModel, { model: here.model })
    expect(await run(putModel, { model: here.model, spec, folder: 'other' })).toEqual({ ...before, folder: 'other' })
    expect((await run(putModel, { model: here.model, spec })).folder).toBe('other')
    await run(updateExperiment, { experiment: here.experiment, folder: 'other' })
    expect((await run(updateExperiment, { experiment: here.experiment, name: 'renamed' })).folder).toBe('other')
    await run(moveExperiments, { experiments: ['0'], folder: 'defaults' })
    expect(await run(getExperiment, { experiment: '0' })).toMatchObject({ name: 'Default', folder: 'defaults' })
    await run(moveExperiments, { experiments: ['0'], folder: '' })
  })

  test('is for those who may change what is moved', async () => {
    const here = await put('theirs')
    const vera = await suite.as('vera', 'viewer')
    const refused = { code: 'permission_denied' }
    const experiments = [here.experiment]
    await expect(run(moveExperiments, { experiments, folder: 'x' }, { as: vera })).rejects.toMatchObject(refused)
    await expect(run(moveModels, { models: [here.model], folder: 'x' }, { as: vera })).rejects.toMatchObject(refused)
    await expect(run(renameFolder, { folder: 'theirs', to: 'x' }, { as: vera })).rejects.toMatchObject(refused)
    expect((await run(listFolders, { folder: 'theirs' }, { as: vera })).folder.all).toEqual(counts(1))
  })
})

test('the trash, another name and a copy from elsewhere keep the folder', async () => {
  const here = await put('kept')
  await run(updateExperiment, { experiment: here.experiment, state: 'deleted' })
  expect((await run(updateExperiment, { experiment: here.experiment, state: 'active' })).folder).toBe('kept')
  expect((await run(renameModel, { model: here.model, name: 'kept-too' })).folder).toBe('kept')
  await run(deleteModel, { model: 'kept-too' })
  expect((await run(putModel, { model: 'kept-too', spec })).folder).toBe('')
  const copy = { name: 'copied', createdAt: '2026-01-01T00:00:00Z', updatedAt: '2026-01-01T00:00:00Z' }
  const tags = { team: 'a', 'pave.folder': 'kept/copies' }
  const { experiment, ...copied } = await run(importExperiment, { ...copy, tags })
  expect(copied).toMatchObject({ folder: 'kept/copies', tags: { team: 'a' } })
  await run(updateExperiment, { experiment, folder: 'moved/since' })
  expect((await run(importExperiment, { ...copy, tags })).folder).toBe('moved/since')
  const strange = run(importExperiment, { ...copy, tags: { 'pave.folder': '../up' } })
  await expect(strange).rejects.toMatchObject({ code: 'invalid_input' })
})

describe('a rename', () => {
  test('takes everything in a folder and below along, and what is in the trash, and can be taken back', async () => {
    const things = await Promise.all(['team', 'team/a', 'team/a/b', 'teams', 'team a'].map(put))
    const [top, , deep] = things
    if (top === undefined || deep === undefined) throw new Error('they were made')
    await run(updateExperiment, { experiment: deep.experiment, state: 'deleted' })
    const grace = await suite.as('grace', 'contributor')
    const done = await run(renameFolder, { folder: 'team', to: 'group/Ω' }, { as: grace })
    expect(done).toEqual({ folder: 'group/Ω', experiments: 3, models: 3 })
    expect(await Promise.all(things.map(whereIs))).toEqual(
      ['group/Ω', 'group/Ω/a', 'group/Ω/a/b', 'teams', 'team a'].map((folder) => [folder, folder]),
    )
    const [entry] = (await run(listEntries, { subject: 'folder:group/Ω', operations: 'rename-folder' })).items
    expect(entry).toMatchObject({ actor: { id: grace.id }, facts: { experiments: 3, models: 3 } })
    await run(renameFolder, { folder: 'group/Ω', to: 'team' })
    expect(await whereIs(deep)).toEqual(['team/a/b', 'team/a/b'])
  })

  test('of the middle of a path may take it up into the folder around it', async () => {
    const here = await put('up/middle/down')
    await run(renameFolder, { folder: 'up/middle', to: 'up' })
    expect(await whereIs(here)).toEqual(['up/down', 'up/down'])
  })

  test('joins no folders and swallows none', async () => {
    const things = await Promise.all(['first/x', 'second/x'].map(put))
    const { experiment } = await run(createExperiment, { name: 'trashed', folder: 'third' })
    await run(updateExperiment, { experiment, state: 'deleted' })
    await run(createExperiment, { name: 'deep', folder: 'first/1/2/3/4/5/6' })
    const refused = async (folder: string, to: string, code: string) =>
      expect(run(renameFolder, { folder, to })).rejects.toMatchObject({ code })
    await refused('first', 'second', 'folder_exists')
    await refused('first', 'second/x', 'folder_exists')
    await refused('first', 'third', 'folder_exists')
    await refused('first', 'first/inner', 'folder_within_itself')
    await refused('first', 'first', 'folder_within_itself')
    await refused('nowhere', 'somewhere', 'folder_not_found')
    await refused('first', 'a/b/c', 'folder_too_deep')
    await refused('', 'somewhere', 'invalid_input')
    await refused('first', '', 'invalid_input')
    expect(await Promise.all(things.map(whereIs))).toEqual([
      ['first/x', 'first/x'],
      ['second/x', 'second/x'],
    ])
  })

  test('and moves one after the other do what a list of paths says', async () => {
    const things = await Promise.all(Array.from({ length: 4 }, () => put('oracle')))
    const part = fc.constantFrom('a', 'ab', 'a b', 'b')
    const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
    const step = fc.record({ thing: fc.option(fc.nat(things.length - 1), { freq: 2 }), folder: path, to: path })
    let round = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const root = `oracle-${round++}`
        const oracle = things.map(() => `${root}/a`)
        const put = async (index: number, folder: string) => {
          const { experiment = '', model = '' } = things[index] ?? {}
          await run(moveExperiments, { experiments: [experiment], folder })
          await run(moveModels, { models: [model], folder })
          oracle[index] = folder
        }
        for (const index of things.keys()) await put(index, `${root}/a`)
        for (const { thing, ...step } of steps) {
          const [folder, to] = [`${root}/${step.folder}`, `${root}/${step.to}`]
          const under = (one: string, around: string) => `${one}/`.startsWith(`${around}/`)
          if (thing !== null) await put(thing, to)
          else if (
            !oracle.some((one) => under(one, folder)) ||
            under(to, folder) ||
            oracle.some((one) => under(one, to) && !under(one, folder))
          ) {
            await expect(run(renameFolder, { folder, to })).rejects.toMatchObject({
              code: expect.stringMatching(/^folder_/),
            })
          } else {
            await run(renameFolder, { folder, to })
            for (const [index, one] of oracle.entries()) {
              if (under(one, folder)) oracle[index] = to + one.slice(folder.length)
            }
          }
        }
        expect(await Promise.all(things.map(whereIs))).toEqual(oracle.map((folder) => [folder, folder]))
      }),
      { numRuns: 30 },
    )
  })

  test('to one path by two at once joins nothing: the second is refused', async () => {
    for (let round = 0; round < 5; round++) {
      const things = await Promise.all([`both-${round}/a`, `both-${round}/b`].map(put))
      const to = `both-${round}/c`
      const both = ['a', 'b'].map((name) => run(renameFolder, { folder: `both-${round}/${name}`, to }))
      const outcomes = await Promise.allSettled(both)
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      expect(new Set((await Promise.all(things.map(whereIs))).map(String)).size).toBe(2)
    }
  })

  test('takes along a model that gets another name meanwhile', async () => {
    for (let round = 0; round < 8; round++) {
      const from = `named-${round}`
      const { model } = await put(from)
      await Promise.all([
        run(renameModel, { model, name: `${model}-later` }),
        run(renameFolder, { folder: from, to: `${from}-later` }),
      ])
      expect((await run(getModel, { model: `${model}-later` })).folder).toBe(`${from}-later`)
    }
  })

  test('and moves at once leave nothing behind and tear nothing apart', async () => {
    const names = ['race/a', 'race/b', 'race/c']
    const things = await Promise.all(Array.from({ length: 12 }, (_, index) => put(`race/a/${index}`)))
    const wanderer = await put('race/a/0')
    const attempts = Array.from({ length: 24 }, async (_, index) => {
      const [folder = '', to = ''] = [names[index % 3], names[(index + 1 + (index % 2)) % 3]]
      if (index % 4 === 3) {
        await run(moveExperiments, { experiments: [wanderer.experiment], folder: `${to}/wandered` })
        return
      }
      await run(renameFolder, { folder, to }).catch((error: { code: string }) => {
        expect(['folder_exists', 'folder_not_found']).toContain(error.code)
      })
    })
    // A reader meanwhile never finds half of a folder renamed.
    const readers = Array.from({ length: 12 }, async () => {
      const { folder } = await run(listFolders, { folder: 'race' })
      expect(folder.all).toEqual(counts(13))
    })
    await Promise.all([...attempts, ...readers])
    const roots = new Set<string>()
    for (const [index, thing] of things.entries()) {
      const [experiment = '', model] = await whereIs(thing)
      expect(experiment).toBe(model)
      expect(experiment).toMatch(new RegExp(`^race/[abc]/${index}$`))
      roots.add(experiment.slice(0, 'race/a'.length))
    }
    expect(roots.size).toBe(1)
  })
})

test('of 10,000 experiments and 10,000 models in 2,000 folders the tree comes at once', async () => {
  // One operation at a time would take minutes; the trigger asks for the id of one all the same.
  await platform.transaction(suite.workspace, async (db) => {
    await sql`
      insert into tracking.experiment (workspace, id, name, folder, state, tags, created_at, updated_at)
      select ${suite.workspace}, 100000 + n, 'many-' || n, 'many/' || n % 20 || '/' || n % 2000, 'active', '{}', now(), now()
      from generate_series(1, 10000) n
    `.execute(db)
    await sql`
      insert into registry.model (workspace, name, folder, spec, created_at, changed_at)
      select ${suite.workspace}, 'many-' || n, 'many/' || n % 20 || '/' || n % 2000, ${JSON.stringify(spec)}::jsonb, now(), now()
      from generate_series(1, 10000) n
    `.execute(db)
  })
  const began = performance.now()
  const { folder, items } = await run(listFolders, { folder: 'many', levels: 1 })
  const took = performance.now() - began
  expect(folder.all).toEqual(counts(10_000))
  expect(items).toHaveLength(20)
  expect(items.every(({ all }) => all.experiments === 500 && all.models === 500)).toBe(true)
  expect(took).toBeLessThan(1000)
  expect((await run(listExperiments, { folder: 'many/7/7' })).items).toHaveLength(5)
  expect(await run(renameFolder, { folder: 'many/7', to: 'few' })).toEqual({
    folder: 'few',
    experiments: 500,
    models: 500,
  })
  expect((await run(listModels, { folder: 'few', below: true, limit: 200 })).items).toHaveLength(200)
})
