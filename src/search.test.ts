import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPrincipal } from '#modules/identity/contract.ts'
import { grantOf } from '#modules/identity/roles.ts'
import { modules } from '#modules/index.ts'
import { putModel } from '#modules/registry/contract.ts'
import type { Actor } from '#platform/actor.ts'
import { listEntries, search } from '#platform/kernel/contract.ts'
import { createTestPlatform } from '#testing/platform.ts'

const suite = await createTestPlatform()
afterAll(() => suite.drop())
const { platform, run, workspace } = suite

const spec = { owner: 'ada', tier: 3, task: 'other' as const }
const models = 10_000

beforeAll(async () => {
  await run(putModel, { model: 'late-flights', spec: { ...spec, description: 'Wird es spät? 100 % sicher 🛫' } })
  await run(putModel, { model: 'late', spec })
  await run(createPrincipal, { name: 'late-larry', role: 'viewer' })
  await platform.transaction(workspace, async (db) => {
    await sql`
      insert into registry.model (workspace, name, spec, created_at, changed_at)
      select ${workspace}, 'model-' || lpad(n::text, 5, '0'), ${JSON.stringify(spec)}::jsonb, now(), now()
      from generate_series(1, ${models}) n
    `.execute(db)
  })
}, 60_000)

const find = async (text: string, as?: Actor) => (await run(search, { text }, as && { as })).items

test('finds what bears the name, before what begins with it and what contains it', async () => {
  const found = await find('LATE')
  expect(found[0]).toEqual({ kind: 'model', id: 'late', title: 'late', detail: '' })
  expect(
    found
      .slice(1)
      .map(({ kind, title }) => `${kind} ${title}`)
      .sort(),
  ).toEqual(['model late-flights', 'user late-larry'])
})

test('finds descriptions in any script, and takes % for itself', async () => {
  expect((await find('spät')).map(({ id }) => id)).toEqual(['late-flights'])
  expect((await find('🛫')).map(({ id }) => id)).toEqual(['late-flights'])
  expect((await find('100 %')).map(({ id }) => id)).toEqual(['late-flights'])
  expect(await find('1%0')).toEqual([])
})

test('leads from a pasted id to what bears it', async () => {
  const { items } = await run(listEntries, { operation: 'put-model', limit: 1 })
  const id = items[0]?.id ?? ''
  expect(await find(id.toUpperCase())).toEqual([{ kind: 'entry', id, title: 'put-model', detail: 'ledger entry' }])
})

test('shows nobody what they may not read', async () => {
  const system: Actor = { ...(await suite.as('nosy')), grants: [] }
  expect(await find('late', system)).toEqual([])
  const node: Actor = { ...system, grants: [grantOf('node', {})] }
  expect(await find('late', node)).toEqual([])
  const oneModel: Actor = { ...system, grants: [grantOf('viewer', { model: 'late' })] }
  expect((await find('late', oneModel)).map(({ id }) => id)).toEqual(['late'])
  expect((await find('model-0000', oneModel)).map(({ id }) => id)).toEqual([])
})

test('every module has kinds of its own, and whatever is typed is answered', async () => {
  const sources = modules.flatMap((module) => module.search ?? [])
  expect(new Set(sources.map(({ kind }) => kind)).size).toBe(sources.length)
  expect(sources.length).toBeGreaterThan(12)
  expect((await find('model-09999')).map(({ id }) => id)).toEqual(['model-09999'])
  for (const text of ['no such thing', 'a'.repeat(64), platform.ids.next()]) expect(await find(text)).toEqual([])
})
