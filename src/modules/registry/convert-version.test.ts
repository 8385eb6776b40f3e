import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, expect, it } from 'vitest'
import { cancelJob, getJob, listEntries, recordObject } from '#platform/kernel/contract.ts'
import { linearModel } from '#testing/onnx.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { identity } from '../identity/module.ts'
import { deleteVersion, getVersion, type OnnxTwin, registerVersion, renameModel } from './contract.ts'
import { largestGraph } from './judge-twin.ts'
import { registry } from './module.ts'
import { playConversions, registerBareVersion, report } from './twin.fixture.ts'
import { convertVersion, finishConversion } from './twin-contract.ts'

const suite = await createTestPlatform({ modules: [identity, registry] })
afterAll(() => suite.drop())
const { run, platform } = suite
const stage = playConversions(suite)
const { environment, conversion } = stage

const twinOf = async (version: string): Promise<OnnxTwin | null> => (await run(getVersion, { version })).twin

async function released(): Promise<string[]> {
  const { rows } = await sql<{ digest: string }>`select digest from platform.released_object`.execute(platform.system)
  return rows.map(({ digest }) => digest)
}

/** Asks for a conversion and waits for its end, however it comes. */
async function converted(version: string, more: { tolerance?: number } = {}) {
  const { job } = await run(convertVersion, { version, ...more }, { as: await suite.as('ada', 'contributor') })
  for (;;) {
    const { state, error } = await run(getJob, { job, wait: 20 })
    if (state === 'done' || state === 'failed' || state === 'cancelled')
      return { job, state, error, twin: await twinOf(version) }
  }
}

it('makes a twin in the environment of the model, compares and keeps it', async () => {
  const { ref } = await registerBareVersion(suite, 'linear', { features: ['distance', 'hour'] })
  const { job, state, twin } = await converted(ref)
  expect(state).toBe('done')
  expect(twin).toMatchObject({
    state: 'ready',
    job,
    flavor: 'sklearn',
    tolerance: 1e-4,
    output: 'score',
    signature: { inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 2] }] },
    report: { samples: 261, maxAbsolute: 2e-5 },
    problem: null,
  })
  expect(stage.started.map(({ environment: made, env }) => [made?.access, env['PAVE_TOKEN']])).toEqual([
    ['make', undefined],
    ['use', undefined],
  ])
  const { items } = await run(listEntries, { subject: `version:${ref}`, limit: 10 })
  const [finish, ask] = items
  expect(finish).toMatchObject({
    operation: 'finish-conversion',
    facts: { state: 'ready', difference: 2e-5, samples: 261 },
  })
  expect(ask).toMatchObject({ operation: 'convert-version', facts: { job, tolerance: 1e-4 } })
  expect(JSON.stringify(finish?.lineage)).toContain(twin?.artifact)
})

it('answers a twin that is ready as it is, and makes the environment once', async () => {
  const before = await twinOf('linear@1')
  const times = stage.started.length
  const again = await run(convertVersion, { version: 'linear@1', tolerance: 0.01 })
  expect(again).toEqual({ version: 'linear@1', job: before?.job, twin: before })
  await expect(run(convertVersion, { version: 'linear@1', tolerance: 1e-9 })).rejects.toMatchObject({
    code: 'twin_differs',
  })
  expect(stage.started).toHaveLength(times)
  const { files, flavors } = await run(getVersion, { version: 'linear@1' })
  const other = await run(registerVersion, { model: 'linear', files, flavors, note: 'x', metrics: { mae: 1 } })
  expect((await converted(other.ref)).state).toBe('done')
  expect(stage.started.slice(times).map(({ environment: used }) => used?.access)).toEqual(['use'])
})

it('refuses what has a graph, and what no converter is for', async () => {
  const stored = await platform.services.objects.put(linearModel({ weights: [1, 2] }))
  await run(recordObject, stored)
  const graph = await registerBareVersion(suite, 'graph', {
    artifact: stored.digest,
    output: 'score',
    signature: {
      inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
    },
  })
  await expect(run(convertVersion, { version: graph.ref })).rejects.toMatchObject({ code: 'version_has_graph' })
  const odd = await registerBareVersion(suite, 'odd', { flavors: ['python_function', 'prophet'] })
  await expect(run(convertVersion, { version: odd.ref })).rejects.toMatchObject({ code: 'conversion_unsupported' })
  expect(await twinOf(odd.ref)).toBeNull()
})

it('is not for viewers, and the end of one is not for people to write', async () => {
  const { ref } = await registerBareVersion(suite, 'mine')
  const [viewer, contributor] = [await suite.as('vera', 'viewer'), await suite.as('ada', 'contributor')]
  await expect(run(convertVersion, { version: ref }, { as: viewer })).rejects.toMatchObject({
    code: 'permission_denied',
  })
  const end = { version: ref, job: platform.ids.next() }
  await expect(run(finishConversion, end, { as: contributor })).rejects.toMatchObject({ code: 'permission_denied' })
})

it('keeps why it failed and what was printed, and may be asked again', async () => {
  const { ref } = await registerBareVersion(suite, 'flaky')
  stage.environment = async () => ({ status: 'failed', exitCode: 1, reason: 'It ended with exit code 1.' })
  stage.log = 'ERROR: No matching distribution found for x\n'
  const failed = await converted(ref)
  expect(failed).toMatchObject({
    state: 'failed',
    error: { code: 'environment_failed' },
    twin: { state: 'failed', artifact: null, problem: { code: 'environment_failed', lines: [stage.log.trim()] } },
  })
  const log = await platform.services.objects.read(failed.twin?.log ?? '', { maxBytes: 1000 })
  expect(log.toString()).toBe(stage.log)
  stage.environment = environment
  expect((await converted(ref)).twin).toMatchObject({ state: 'ready', problem: null })
})

it.each([
  ['a problem that it knows', { problem: { code: 'model_unreadable', message: 'It is broken' } }, 'model_unreadable'],
  ['no report', 'no JSON', 'conversion_failed'],
  ['a report of another shape', { ...report, samples: 0 }, 'conversion_failed'],
  ['a code that nobody declared', { problem: { code: 'made_up', message: 'x' } }, 'conversion_failed'],
])('ends as failed for %s', async (_, said, code) => {
  const { ref } = await registerBareVersion(suite, `said-${code.replaceAll('_', '-')}-${String(_.length)}`)
  stage.conversion = async () => ({ report: said })
  expect(await converted(ref)).toMatchObject({
    state: 'failed',
    error: { code },
    twin: { state: 'failed', artifact: null },
  })
  stage.conversion = conversion
})

it('keeps no graph that differs, and none that could not serve', async () => {
  const strict = await registerBareVersion(suite, 'strict')
  expect(await converted(strict.ref, { tolerance: 1e-6 })).toMatchObject({
    state: 'failed',
    error: { code: 'twin_differs' },
    twin: { state: 'differs', artifact: null, report: { difference: 2e-5 } },
  })
  expect((await converted(strict.ref)).twin?.state).toBe('ready')
  const wide = await registerBareVersion(suite, 'wide', { features: ['a', 'b', 'c'] })
  expect(await converted(wide.ref)).toMatchObject({ error: { code: 'features_mismatch' }, twin: { state: 'failed' } })
  const broken = await registerBareVersion(suite, 'broken')
  stage.conversion = async () => ({ report, graph: Buffer.from('no graph') })
  expect(await converted(broken.ref)).toMatchObject({ error: { code: 'onnx_invalid' }, twin: { state: 'failed' } })
  stage.conversion = conversion
})

it('lets no number be further off than a hundredth', async () => {
  const { ref } = await registerBareVersion(suite, 'lax')
  await expect(run(convertVersion, { version: ref, tolerance: 0.02 })).rejects.toMatchObject({ code: 'invalid_input' })
})

it.each([
  ['another order', ['hour', 'distance'], false],
  ['one at the place of another', ['hour', 'delay'], false],
  ['the same order', ['distance', 'hour'], true],
  ['names of its own', ['x1', 'x2'], true],
])('compares the names of the features with those of the model: %s', async (what, features, fits) => {
  const { ref } = await registerBareVersion(suite, `order-${what.replaceAll(' ', '-')}`, { features })
  stage.conversion = async () => ({ ...(await conversion()), report: { ...report, columns: ['distance', 'hour'] } })
  expect((await converted(ref)).twin).toMatchObject(
    fits ? { state: 'ready' } : { state: 'failed', artifact: null, problem: { code: 'features_mismatch' } },
  )
  stage.conversion = conversion
})

it('lets the bytes go of a graph that was refused', async () => {
  const { ref } = await registerBareVersion(suite, 'refused')
  const graph = Buffer.from('no graph, and nobody else has it')
  stage.conversion = async () => ({ report, graph })
  expect(await converted(ref)).toMatchObject({ error: { code: 'onnx_invalid' } })
  stage.conversion = conversion
  expect(await released()).toContain((await platform.services.objects.put(graph)).digest)
})

it('reads no more of a report than one can have', async () => {
  const { ref } = await registerBareVersion(suite, 'chatty')
  const path = join(suite.dataDir, 'chatty.json')
  await writeFile(path, '')
  await truncate(path, 3 * 1024 ** 3)
  stage.conversion = async () => ({ outputs: { report: path, graph: path } })
  expect(await converted(ref)).toMatchObject({ error: { code: 'conversion_failed' }, twin: { state: 'failed' } })
  stage.conversion = conversion
})

it('keeps no graph that is larger than one can be', async () => {
  const { ref } = await registerBareVersion(suite, 'heavy')
  const [path, said] = [join(suite.dataDir, 'heavy.onnx'), join(suite.dataDir, 'heavy.json')]
  await writeFile(said, JSON.stringify(report))
  await writeFile(path, '')
  await truncate(path, largestGraph + 1)
  stage.conversion = async () => ({ outputs: { report: said, graph: path } })
  expect((await converted(ref)).twin).toMatchObject({ state: 'failed', problem: { code: 'conversion_unsupported' } })
  stage.conversion = conversion
})

it('starts anew what was lost, three times at most', async () => {
  const { ref } = await registerBareVersion(suite, 'lost')
  let times = 0
  stage.conversion = async () => (++times < 3 ? { status: 'lost', reason: 'Its end was not seen.' } : conversion())
  expect((await converted(ref)).state).toBe('done')
  const unlucky = await registerBareVersion(suite, 'unlucky')
  stage.conversion = async () => ({ status: 'lost', reason: 'Its end was not seen.' })
  expect(await converted(unlucky.ref)).toMatchObject({ error: { code: 'conversion_failed' } })
  stage.conversion = conversion
})

it('lays no file out beside the model', async () => {
  const { files } = await registerBareVersion(suite, 'outside')
  const list = await platform.services.objects.read(files ?? '', { maxBytes: 10_000 })
  const [first] = JSON.parse(list.toString())
  const others = [
    ['../evil'],
    ['/etc/evil'],
    ['a/../../evil'],
    ['a//b'],
    ['.'],
    ['a', 'a/b'],
    ['a/b/c', 'a'],
    ['a', 'a'],
    ['a'.repeat(256)],
  ]
  for (const [index, paths] of others.entries()) {
    const list = [first, ...paths.map((path) => ({ ...first, path }))]
    const stored = await platform.services.objects.put(JSON.stringify(list))
    await run(recordObject, stored)
    const { ref } = await run(registerVersion, { model: 'outside', files: stored.digest, flavors: ['sklearn'] })
    expect(ref).toBe(`outside@${index + 2}`)
    expect(await converted(ref)).toMatchObject({ error: { code: 'files_invalid' }, twin: { state: 'failed' } })
  }
})

it('is one for all who ask meanwhile, and ends when its job is cancelled', async () => {
  const { ref } = await registerBareVersion(suite, 'slow')
  const begun = Promise.withResolvers<void>()
  stage.conversion = () => {
    begun.resolve()
    return new Promise(() => {})
  }
  const first = await run(convertVersion, { version: ref })
  await begun.promise
  expect(await run(convertVersion, { version: ref })).toMatchObject({ job: first.job, twin: { state: 'converting' } })
  await run(cancelJob, { job: first.job })
  stage.conversion = conversion
  for (;;) if ((await run(getJob, { job: first.job, wait: 20 })).state === 'cancelled') break
  expect(await twinOf(ref)).toMatchObject({ state: 'failed', problem: { code: 'job_cancelled' } })
  expect((await converted(ref)).twin?.state).toBe('ready')
})

it('ends without a trace when its version is taken away meanwhile', async () => {
  const { ref } = await registerBareVersion(suite, 'gone')
  const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  stage.conversion = async () => {
    begun.resolve()
    await go.promise
    return { report, graph }
  }
  const graph = new Uint8Array(linearModel({ weights: [7, 7] }))
  const { job } = await run(convertVersion, { version: ref })
  await begun.promise
  await run(deleteVersion, { version: ref })
  go.resolve()
  for (;;) if ((await run(getJob, { job, wait: 20 })).state === 'failed') break
  stage.conversion = conversion
  expect(await released()).toContain((await platform.services.objects.put(graph)).digest)
  expect(stage.discarded).toContain(`${job}-conversion`)
  const { items } = await run(listEntries, { subject: `version:${ref}`, operation: 'finish-conversion', limit: 10 })
  expect(items).toEqual([])
})

it('goes with the name of its model, and away with its version', async () => {
  const before = await twinOf('linear@1')
  await run(renameModel, { model: 'linear', name: 'straight' })
  expect(await twinOf('straight@1')).toEqual(before)
  await run(deleteVersion, { version: 'straight@1' })
  expect(await released()).toEqual(expect.arrayContaining([before?.artifact, before?.log]))
  const { files, flavors } = await run(getVersion, { version: 'straight@2' })
  expect(files).not.toBeNull()
  const back = await run(registerVersion, { model: 'straight', files, flavors, features: ['distance', 'hour'] })
  expect(back).toMatchObject({ ref: 'straight@1', twin: null })
})
