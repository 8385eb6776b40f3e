import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeCursor } from '#platform/names.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { identity } from '../identity/module.ts'
import { listModels, putModel } from './contract.ts'
import { registry } from './module.ts'

const suite = await createTestPlatform({ modules: [identity, registry] })
afterAll(() => suite.drop())
const { run } = suite

const models = 10_000
const spec = { owner: 'ada', tier: 3, task: 'other' as const }

beforeAll(async () => {
  await run(putModel, {
    model: 'late-flights',
    spec: { ...spec, owner: 'grace', tier: 1, description: 'Wird es spät? 100 % 🛫' },
  })
  // One operation at a time would take minutes; the trigger asks for the id of one all the same.
  await suite.platform.transaction(suite.workspace, async (db) => {
    await sql`
      insert into registry.model (workspace, name, spec, created_at, changed_at)
      select ${suite.workspace}, 'model-' || lpad(n::text, 5, '0'), ${JSON.stringify(spec)}::jsonb, now(), now() - n * interval '1 s'
      from generate_series(1, ${models - 1}) n
    `.execute(db)
  })
}, 60_000)

test('of 10,000 models a page, a search among them and the last page are found', async () => {
  expect((await run(listModels, {})).items).toHaveLength(50)
  const found = await run(listModels, { search: 'MODEL-0999' })
  expect(found.items.map(({ model }) => model)).toEqual(Array.from({ length: 10 }, (_, n) => `model-0999${n}`))
  const newest = await run(listModels, { order: 'changed' })
  expect(newest.items[0]?.model).toBe('late-flights')
  const last = await run(listModels, { cursor: encodeCursor(['model-09990']) })
  expect(last).toMatchObject({ items: { length: 9 }, nextCursor: null })
})

test('what is searched for is text: its % and _ stand for themselves', async () => {
  const found = async (search: string) => (await run(listModels, { search })).items.map(({ model }) => model)
  expect(await found('100 %')).toEqual(['late-flights'])
  expect(await found('es_spät')).toEqual([])
  expect(await found('🛫')).toEqual(['late-flights'])
  expect(await found('GRACE')).toEqual(['late-flights'])
})

test('the pages by last change hold every model once', async () => {
  const seen: string[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await run(listModels, { order: 'changed', limit: 200, cursor })
    seen.push(...page.items.map(({ model }) => model))
    if (page.nextCursor === null) break
    cursor = page.nextCursor
  }
  expect([seen.length, new Set(seen).size]).toEqual([models, models])
})
