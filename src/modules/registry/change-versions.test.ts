import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listEntries, recordObject } from '#platform/kernel/contract.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { identity } from '../identity/module.ts'
import {
  deleteModel,
  deleteVersion,
  getModel,
  getVersion,
  listModels,
  listVersions,
  putModel,
  registerVersion,
  renameModel,
  searchModels,
  searchVersions,
  setAlias,
  updateVersion,
} from './contract.ts'
import { registry } from './module.ts'

let suite: TestPlatform
let run: TestPlatform['run']
beforeAll(async () => {
  suite = await createTestPlatform({ modules: [identity, registry] })
  run = suite.run
})
afterAll(() => suite.drop())

const spec = { owner: 'ada', tier: 3, task: 'other' as const }

async function upload(bytes: string) {
  const stored = await suite.platform.services.objects.put(bytes)
  await run(recordObject, stored)
  return stored
}

/** A model with as many versions of files. */
async function makeModel(model: string, versions: number, tags: Record<string, string> = {}) {
  await run(putModel, { model, spec: { ...spec, tags } })
  for (let number = 1; number <= versions; number++) {
    const file = await upload(`${model} ${number}`)
    const files = await upload(JSON.stringify([{ path: 'model.pkl', ...file }]))
    await run(registerVersion, { model, files: files.digest, tags: { number: String(number) } })
  }
}

describe('files', () => {
  test('make a version without a graph, and the same files are the same version', async () => {
    await makeModel('pickled', 1)
    await makeModel('pickled', 1)
    const { items } = await run(listVersions, { model: 'pickled' })
    expect(items).toMatchObject([{ version: 1, artifact: null, signature: { inputs: [], outputs: [] } }])
  })

  test('must be there', async () => {
    await run(putModel, { model: 'bodiless', spec })
    const theirs = await suite.platform.services.objects.put('of another workspace')
    for (const text of [JSON.stringify([{ path: 'x', ...theirs }]), '{"x": 1}', 'x']) {
      const files = (await upload(text)).digest
      await expect(run(registerVersion, { model: 'bodiless', files })).rejects.toMatchObject({ code: 'files_invalid' })
    }
  })
})

describe('what is said about a version', () => {
  test('changes, and what it is does not', async () => {
    await makeModel('said', 1)
    const before = await run(getVersion, { version: 'said@1' })
    const after = await run(updateVersion, {
      version: 'said@1',
      note: 'good',
      tags: { checked: 'yes' },
      removeTags: ['number'],
    })
    expect(after).toMatchObject({ note: 'good', tags: { checked: 'yes' }, digest: before.digest })
    await run(registerVersion, { model: 'said', properties: { text: 'Hello' } })
    for (const change of [{ tags: { text: 'Bye' } }, { removeTags: ['text'] }]) {
      await expect(run(updateVersion, { version: 'said@2', ...change })).rejects.toMatchObject({
        code: 'version_immutable',
      })
    }
  })

  test('its stage moves, others give way, and the ledger tells from where', async () => {
    await makeModel('staged', 3)
    await run(updateVersion, { version: 'staged@1', stage: 'production' })
    await run(updateVersion, { version: 'staged@2', stage: 'production', archiveOthers: true })
    const { items } = await run(searchVersions, { models: ['staged'], latest: true })
    expect(items.map(({ version, stage }) => [version, stage])).toEqual([
      [3, 'none'],
      [2, 'production'],
      [1, 'archived'],
    ])
    const { items: entries } = await run(listEntries, { subject: 'version:staged@1' })
    expect(entries[0]?.facts).toMatchObject({ stage: 'production', from: 'none', archived: [1] })
  })
})

describe('removing', () => {
  test('a version hides it with its aliases, and the same content brings it back', async () => {
    await makeModel('removed', 2)
    await run(setAlias, { model: 'removed', alias: 'best', version: 2 })
    await run(deleteVersion, { version: 'removed@best' })
    await expect(run(getVersion, { version: 'removed@2' })).rejects.toMatchObject({ code: 'version_not_found' })
    await expect(run(getVersion, { version: 'removed@best' })).rejects.toMatchObject({ code: 'version_not_found' })
    expect((await run(listVersions, { model: 'removed' })).items.map((one) => one.version)).toEqual([1])
    await makeModel('removed', 2)
    expect((await run(listVersions, { model: 'removed' })).items.map((one) => one.version)).toEqual([2, 1])
  })

  test('a model frees its name, not its numbers', async () => {
    await makeModel('freed', 2)
    await run(deleteModel, { model: 'freed' })
    await expect(run(getModel, { model: 'freed' })).rejects.toMatchObject({ code: 'model_not_found' })
    await expect(run(deleteModel, { model: 'freed' })).rejects.toMatchObject({ code: 'model_not_found' })
    await run(putModel, { model: 'freed', spec })
    expect((await run(listVersions, { model: 'freed' })).items).toEqual([])
    const next = await run(registerVersion, { model: 'freed', properties: { text: 'new' } })
    expect(next.version).toBe(3)
  })
})

describe('renaming', () => {
  test('takes versions, aliases and what is said along', async () => {
    await makeModel('old name', 2)
    await run(setAlias, { model: 'old name', alias: 'Best_1', version: 2 })
    await run(updateVersion, { version: 'old name@1', stage: 'staging', note: 'first' })
    const before = await run(getVersion, { version: 'old name@2' })
    const renamed = await run(renameModel, { model: 'old name', name: 'New.Name (2)' })
    expect(renamed).toMatchObject({ model: 'New.Name (2)', latestVersion: 2, aliases: { Best_1: 2 } })
    expect(await run(getVersion, { version: 'New.Name (2)@Best_1' })).toMatchObject({
      version: 2,
      files: before.files,
      author: before.author,
      registeredAt: before.registeredAt,
    })
    expect(await run(getVersion, { version: 'New.Name (2)@1' })).toMatchObject({ stage: 'staging', note: 'first' })
    await expect(run(getModel, { model: 'old name' })).rejects.toMatchObject({ code: 'model_not_found' })
    await makeModel('taken', 1)
    await expect(run(renameModel, { model: 'New.Name (2)', name: 'taken' })).rejects.toMatchObject({
      code: 'model_exists',
    })
  })
})

describe('searching', () => {
  beforeAll(async () => {
    await makeModel('find a', 2, { team: 'a' })
    await makeModel('find b', 1, { team: 'b' })
    await run(putModel, {
      model: 'find prompt',
      spec: { ...spec, task: 'prompt', tags: { 'mlflow.prompt.is_prompt': 'true', team: 'a' } },
    })
  })

  test.each([
    ["name like 'find%'", ['find a', 'find b']],
    ["name like 'find%' and tags.team = 'a'", ['find a']],
    ["name ilike 'FIND%' and (tags.team = 'b' or name = 'find a')", ['find a', 'find b']],
    ["name like 'find%' and tags.`mlflow.prompt.is_prompt` = 'true'", ['find prompt']],
    ["name like 'find%' and tags.`mlflow.prompt.is_prompt` != 'true'", ['find a', 'find b']],
    ["name like 'find%' and tags.`mlflow.prompt.is_prompt` = 'false'", ['find a', 'find b']],
    ["name like 'find%' and not tags.team = 'a'", ['find b']],
    ["name like 'find%' and creation_timestamp < 1000", []],
    ["name in ('find b', 'none')", ['find b']],
    ["name like 'find_b' or tags.team like 'a\\\\'", ['find b']],
  ])('models by %s', async (filter, names) => {
    const { items } = await run(searchModels, { filter })
    expect(items.map(({ model }) => model)).toEqual(names)
  })

  test('prompts are not among models', async () => {
    const names = async (prompts: boolean) =>
      (await run(listModels, { search: 'find', prompts })).items.map(({ model }) => model)
    expect(await names(false)).toEqual(['find a', 'find b'])
    expect(await names(true)).toEqual(['find prompt'])
  })

  test('pages hold every version once, in the order asked for', async () => {
    const search = { filter: "name like 'find%'", orderBy: ['version_number ASC', 'name DESC'], limit: 1 }
    const seen: string[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await run(searchVersions, { ...search, cursor })
      seen.push(...page.items.map(({ ref }) => ref))
      if (page.nextCursor === null) break
      cursor = page.nextCursor
    }
    expect(seen).toEqual(['find b@1', 'find a@1', 'find a@2'])
    const { items } = await run(searchVersions, { filter: "tags.number = '2' and name = 'find a'" })
    expect(items.map(({ ref }) => ref)).toEqual(['find a@2'])
  })

  test.each(['name >', "secret = 'x'", 'version_number = 99999999999', "creation_timestamp > 'never'"])(
    '%s is refused',
    async (filter) => {
      await expect(run(searchVersions, { filter })).rejects.toMatchObject({ code: 'registry_search_invalid' })
    },
  )
})

test('what is said about versions belongs to a workspace', async () => {
  const other = await suite.platform.transaction(suite.workspace, async (db) => {
    await sql`select set_config('app.workspace', ${'00000000-0000-7000-8000-000000000000'}, true)`.execute(db)
    return (await sql`select 1 from registry.version_state`.execute(db)).rows
  })
  expect(other).toEqual([])
})
