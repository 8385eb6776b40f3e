import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { getEntry } from '#platform/kernel/contract.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { identity } from '../identity/module.ts'
import {
  deleteAlias,
  deleteVersion,
  getModel,
  listAliasMoves,
  putModel,
  registerVersion,
  renameModel,
  setAlias,
  undoAliasMove,
} from './contract.ts'
import { registry } from './module.ts'

const suite = await createTestPlatform({ modules: [identity, registry] })
afterAll(() => suite.drop())
const { run } = suite

async function prepare(model: string, versions = 3): Promise<string> {
  await run(putModel, { model, spec: { owner: 'team', tier: 3, task: 'regression' } })
  for (let n = 1; n <= versions; n++) await run(registerVersion, { model, metrics: { n }, note: `version ${n}` })
  return model
}

const moves = async (model: string, more: object = {}) => (await run(listAliasMoves, { model, ...more })).items
const last = async (model: string, alias: string) => (await moves(model, { alias }))[0]?.entry ?? ''

describe('moves of aliases', () => {
  let ada: Awaited<ReturnType<typeof suite.as>>
  beforeAll(async () => {
    ada = await suite.as('ada', 'contributor')
  })

  test('tell from where, to where, who, when and why, and the entry that proves it', async () => {
    const model = await prepare('told')
    await run(setAlias, { model, alias: 'champion', version: 1, reason: 'the first' }, { as: ada })
    await run(setAlias, { model, alias: 'champion', version: 2 }, { as: ada })
    // It is there already: nothing moved.
    await run(setAlias, { model, alias: 'champion', version: 2 }, { as: ada })
    await run(setAlias, { model, alias: 'other', version: 1 })
    await run(deleteAlias, { model, alias: 'champion', reason: 'a mistake' }, { as: ada })
    const told = await moves(model)
    expect(told).toMatchObject([
      { alias: 'champion', from: 2, to: null, reason: 'a mistake', byName: 'ada', operation: 'delete-alias' },
      { alias: 'other', from: null, to: 1, byName: null },
      { alias: 'champion', from: 1, to: 2, reason: '' },
      { alias: 'champion', from: null, to: 1, reason: 'the first', by: ada.id, undoes: null },
    ])
    expect((await moves(model, { alias: 'other' })).length).toBe(1)
    const entry = await run(getEntry, { entry: told[0]?.entry ?? '' })
    expect(entry).toMatchObject({ operation: 'delete-alias', at: told[0]?.at, facts: { reason: 'a mistake' } })
  })

  test('come page by page', async () => {
    const model = await prepare('many')
    for (let n = 0; n < 7; n++) await run(setAlias, { model, alias: 'a', version: 1 + (n % 3) })
    const seen: (number | null)[] = []
    let cursor: string | undefined
    do {
      const page = await run(listAliasMoves, { model, limit: 3, ...(cursor !== undefined && { cursor }) })
      seen.push(...page.items.map((move) => move.to))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    expect(seen).toEqual([1, 3, 2, 1, 3, 2, 1])
  })

  test('go with a version that is removed, and along with a model that is renamed', async () => {
    const model = await prepare('removed')
    await run(setAlias, { model, alias: 'best', version: 3 })
    await run(setAlias, { model, alias: 'next', version: 3 })
    await run(setAlias, { model, alias: 'kept', version: 2 })
    await run(deleteVersion, { version: 'removed@3' })
    const gone = (await moves(model)).slice(0, 2)
    expect(gone.map(({ alias, from, to }) => `${alias} ${from} ${to}`).sort()).toEqual(['best 3 null', 'next 3 null'])
    await expect(run(undoAliasMove, { model, alias: 'best', move: gone[0]?.entry ?? '' })).rejects.toMatchObject({
      code: 'alias_move_final',
    })
    await run(renameModel, { model, name: 'renamed' })
    expect((await moves('renamed'))[0]).toMatchObject({ alias: 'kept', from: null, to: 2, operation: 'rename-model' })
    expect((await moves(model))[0]).toMatchObject({ alias: 'kept', from: 2, to: null })
  })

  test('are undone by a move back that names them, and the undoing is undone alike', async () => {
    const model = await prepare('undone')
    await run(setAlias, { model, alias: 'champion', version: 1 })
    await run(setAlias, { model, alias: 'champion', version: 2 })
    const move = await last(model, 'champion')
    const undo = { model, alias: 'champion', move, reason: 'worse' }
    expect(await run(undoAliasMove, undo, { as: ada })).toMatchObject({ version: 1 })
    expect((await moves(model))[0]).toMatchObject({ from: 2, to: 1, undoes: move, reason: 'worse', byName: 'ada' })
    // Once more is too late: the last move is the undoing.
    await expect(run(undoAliasMove, undo)).rejects.toMatchObject({ code: 'alias_moved', details: { version: 1 } })
    expect(await run(undoAliasMove, { ...undo, move: await last(model, 'champion') })).toMatchObject({ version: 2 })
    // The first move of all is undone by taking the alias away.
    await run(setAlias, { model, alias: 'new', version: 3 })
    await run(undoAliasMove, { model, alias: 'new', move: await last(model, 'new') })
    expect((await run(getModel, { model })).aliases).toEqual({ champion: 2 })
  })

  test('stay when the alias was moved since, even back to where the move had put it', async () => {
    const model = await prepare('since')
    await run(setAlias, { model, alias: 'champion', version: 1 })
    await run(setAlias, { model, alias: 'champion', version: 2 })
    const move = await last(model, 'champion')
    await run(setAlias, { model, alias: 'champion', version: 3 })
    await run(setAlias, { model, alias: 'champion', version: 2 })
    await expect(run(undoAliasMove, { model, alias: 'champion', move })).rejects.toMatchObject({ code: 'alias_moved' })
    expect((await run(getModel, { model })).aliases).toEqual({ champion: 2 })
  })

  test('of two who undo the same move only one does', async () => {
    const model = await prepare('twice')
    await run(setAlias, { model, alias: 'champion', version: 1 })
    await run(setAlias, { model, alias: 'champion', version: 2 })
    const move = await last(model, 'champion')
    const both = await Promise.allSettled([1, 2].map(() => run(undoAliasMove, { model, alias: 'champion', move })))
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('lead, played from the first, to where the aliases are now', async () => {
    const step = fc.record({
      alias: fc.constantFrom('a', 'b'),
      version: fc.constantFrom(1, 2, 3),
      do: fc.constantFrom('set' as const, 'set' as const, 'delete' as const, 'undo' as const),
    })
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 15 }), async (steps) => {
        const model = await prepare(`any-${++runs}`)
        for (const { alias, version, do: what } of steps) {
          if (what === 'set') await run(setAlias, { model, alias, version })
          else if (what === 'delete') await run(deleteAlias, { model, alias }).catch(() => undefined)
          else await run(undoAliasMove, { model, alias, move: await last(model, alias) }).catch(() => undefined)
        }
        const at: Record<string, number> = {}
        for (const { alias, from, to } of (await moves(model, { limit: 200 })).toReversed()) {
          expect(at[alias] ?? null).toBe(from)
          if (to === null) delete at[alias]
          else at[alias] = to
        }
        expect(at).toEqual((await run(getModel, { model })).aliases)
      }),
      { numRuns: 6 },
    )
  })
})
