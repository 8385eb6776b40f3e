import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { listEntries, recordObject } from '#platform/kernel/contract.ts'
import { linearModel } from '#testing/onnx.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { identity } from '../identity/module.ts'
import {
  deleteAlias,
  getModel,
  getVersion,
  listModels,
  listVersions,
  putModel,
  registerVersion,
  setAlias,
} from './contract.ts'
import { registry } from './module.ts'

const suite = await createTestPlatform({ modules: [identity, registry] })
afterAll(() => suite.drop())
const { platform, workspace, run } = suite

const spec = { owner: 'team-flights', tier: 2, task: 'binary-classification' as const }
const signature = {
  inputs: [{ name: 'features', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'score', datatype: 'FP32' as const, shape: [-1, 1] }],
}
const profile = ['distance', 'hour'].map((name) => ({
  name,
  count: 2,
  nulls: 0,
  mean: 1,
  std: 1,
  min: 0,
  max: 2,
  edges: [1],
  counts: [1, 1],
}))

async function upload(bytes: Uint8Array | string): Promise<string> {
  const stored = await platform.services.objects.put(bytes)
  await run(recordObject, stored)
  return stored.digest
}

const graph = await upload(linearModel({ weights: [1, 2] }))
await run(putModel, { model: 'delays', spec })

const version = (more: object = {}) => ({
  model: 'delays',
  artifact: graph,
  signature,
  features: ['distance', 'hour'],
  profile,
  metrics: { auc: 0.7 },
  ...more,
})

describe('register-version', () => {
  test('makes a version with its number, digest, author and lineage', async () => {
    const ada = await suite.as('ada', 'contributor')
    const code = await upload('the code')
    const registered = await run(registerVersion, version({ code, datasets: ['flights@1'] }), { as: ada })
    expect(registered).toMatchObject({ ref: 'delays@1', version: 1, output: 'score', author: ada.id, aliases: [] })
    const { items } = await run(listEntries, { subject: 'version:delays@1' })
    expect(items[0]?.lineage?.outputs).toEqual([{ kind: 'version', id: 'delays@1' }])
    expect(items[0]?.lineage?.inputs).toEqual([
      { kind: 'object', id: graph },
      { kind: 'object', id: code },
      { kind: 'dataset-version', id: 'flights@1' },
    ])
  })

  test('the same content is the same version, whoever brings it; other content is another', async () => {
    const first = await run(registerVersion, version({ metrics: { auc: 0.71 } }))
    const eve = await suite.as('eve', 'contributor')
    const again = await run(registerVersion, version({ metrics: { auc: 0.71 }, note: 'once more' }), { as: eve })
    expect([again.ref, again.digest, again.author]).toEqual([first.ref, first.digest, first.author])
    const other = await run(registerVersion, version({ metrics: { auc: 0.72 } }))
    expect(other.version).toBe(first.version + 1)
    expect(other.digest).not.toBe(first.digest)
  })

  test('two at once get two numbers', async () => {
    const both = await Promise.all([0.81, 0.82, 0.81].map((auc) => run(registerVersion, version({ metrics: { auc } }))))
    expect(new Set(both.map((one) => one.version)).size).toBe(2)
    expect(both[0]?.ref).toBe(both[2]?.ref)
  })

  test.each([
    ['bytes that are no graph', async () => version({ artifact: await upload('not a graph') }), 'onnx_invalid'],
    [
      'half a graph',
      async () => version({ artifact: await upload(linearModel({ weights: [1, 2] }).subarray(0, 90)) }),
      'onnx_invalid',
    ],
    ['an empty file', async () => version({ artifact: await upload('') }), 'onnx_invalid'],
    [
      'other inputs than the signature',
      async () => version({ artifact: await upload(linearModel({ weights: [1, 2, 3] })) }),
      'signature_mismatch',
    ],
    [
      'another input name',
      async () => version({ artifact: await upload(linearModel({ weights: [1, 2], input: 'x' })) }),
      'signature_mismatch',
    ],
    ['an output that is not there', async () => version({ output: 'nothing' }), 'signature_mismatch'],
    ['too few features', async () => version({ features: ['hour'] }), 'features_mismatch'],
    ['a profile of other features', async () => version({ profile: profile.slice(1) }), 'features_mismatch'],
    ['a model that is not declared', async () => version({ model: 'nothing' }), 'model_not_found'],
    ['a digest of nothing', async () => version({ artifact: `sha256:${'0'.repeat(64)}` }), 'artifact_not_found'],
    ['a metric that is no number', async () => version({ metrics: { auc: Number.NaN } }), 'invalid_input'],
  ])('%s is refused, and nothing is registered', async (_, input, code) => {
    const before = (await run(listVersions, { model: 'delays', limit: 200 })).items.length
    await expect(run(registerVersion, await input())).rejects.toMatchObject({ code })
    expect((await run(listVersions, { model: 'delays', limit: 200 })).items).toHaveLength(before)
  })

  test('bytes of another workspace are not there, as artifact or as code', async () => {
    const theirs = (await platform.services.objects.put(linearModel({ weights: [3, 4] }))).digest
    await expect(run(registerVersion, version({ artifact: theirs }))).rejects.toMatchObject({
      code: 'artifact_not_found',
    })
    await expect(run(registerVersion, version({ code: theirs }))).rejects.toMatchObject({ code: 'artifact_not_found' })
  })

  test('a version never changes, not even by the app role', async () => {
    for (const change of [sql`update registry.version set digest = 'x'`, sql`delete from registry.version`]) {
      await expect(platform.transaction(workspace, (db) => change.execute(db))).rejects.toMatchObject({ code: '42501' })
    }
  })
})

describe('aliases', () => {
  test('point at a version, move, and go', async () => {
    await run(setAlias, { model: 'delays', alias: 'champion', version: 1 })
    expect((await run(getVersion, { version: 'delays@champion' })).aliases).toEqual(['champion'])
    await run(setAlias, { model: 'delays', alias: 'champion', version: 2 })
    expect((await run(getVersion, { version: 'delays@champion' })).version).toBe(2)
    expect((await run(getVersion, { version: 'delays@1' })).aliases).toEqual([])
    await run(deleteAlias, { model: 'delays', alias: 'champion' })
    await expect(run(getVersion, { version: 'delays@champion' })).rejects.toMatchObject({ code: 'version_not_found' })
    await expect(run(deleteAlias, { model: 'delays', alias: 'champion' })).rejects.toMatchObject({
      code: 'version_not_found',
    })
  })

  test('of two who saw an alias at the same version only one moves it', async () => {
    await run(setAlias, { model: 'delays', alias: 'shared', version: 1, from: null })
    const moves = await Promise.allSettled(
      [2, 3].map((version) => run(setAlias, { model: 'delays', alias: 'shared', version, from: 1 })),
    )
    const refused = moves.flatMap((move) => (move.status === 'rejected' ? [move.reason] : []))
    const { version } = await run(getVersion, { version: 'delays@shared' })
    expect(refused).toMatchObject([{ code: 'alias_moved', status: 412, details: { version } }])
    await expect(run(deleteAlias, { model: 'delays', alias: 'shared', from: 1 })).rejects.toMatchObject({
      code: 'alias_moved',
    })
    await run(deleteAlias, { model: 'delays', alias: 'shared', from: version })
  })

  test.each(['3', 'v3', 'latest'])('%s reads as a version and cannot be one', async (alias) => {
    await expect(run(setAlias, { model: 'delays', alias, version: 1 })).rejects.toMatchObject({
      code: 'alias_reserved',
    })
  })

  test.each([999, 3_000_000_000])('version %d is not there', async (version) => {
    await expect(run(setAlias, { model: 'delays', alias: 'far', version })).rejects.toMatchObject({
      code: 'version_not_found',
    })
  })
})

describe('models', () => {
  test('are put whole, and putting the same again changes nothing', async () => {
    const first = await run(putModel, { model: 'twice', spec })
    expect(await run(putModel, { model: 'twice', spec })).toEqual(first)
    expect(await run(getModel, { model: 'twice' })).toEqual(first)
    const changed = await run(putModel, { model: 'twice', spec: { ...spec, owner: 'grace' } })
    expect(changed.changedAt > first.changedAt).toBe(true)
    expect(first).toMatchObject({ latestVersion: null, spec: { ...spec, description: '', tags: {} } })
  })

  test('who may not change the gates may not lower the risk tier, which decides how many approve', async () => {
    const eve = await suite.as('eve', 'contributor')
    const put = (tier: number) => run(putModel, { model: 'risky', spec: { ...spec, tier } }, { as: eve })
    await put(2)
    await expect(put(3)).rejects.toMatchObject({ code: 'permission_denied' })
    await put(1)
    await run(putModel, { model: 'risky', spec: { ...spec, tier: 3 } }, { as: await suite.as('root', 'admin') })
  })

  test('are listed in pages, with their versions newest first', async () => {
    const { items, nextCursor } = await run(listModels, { limit: 1 })
    expect(items.map((one) => one.model)).toEqual(['delays'])
    expect((await run(listModels, { cursor: nextCursor ?? '' })).items.map((one) => one.model)).toEqual([
      'risky',
      'twice',
    ])
    const page = await run(listVersions, { model: 'delays', limit: 2 })
    const next = await run(listVersions, { model: 'delays', limit: 2, cursor: page.nextCursor ?? '' })
    const numbers = [...page.items, ...next.items].map((one) => one.version)
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a))
    await expect(run(listVersions, { model: 'nothing' })).rejects.toMatchObject({ code: 'model_not_found' })
  })
})
