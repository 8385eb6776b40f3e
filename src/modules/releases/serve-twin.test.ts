import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { exportEvidence, putPolicy } from '#modules/governance/contract.ts'
import { deleteVersion, getVersion, registerVersion } from '#modules/registry/contract.ts'
import { convertVersion } from '#modules/registry/twin-contract.ts'
import { approve, listEntries, listPendingOperations } from '#platform/kernel/contract.ts'
import { linearModel } from '#testing/onnx.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { playConversions, registerBareVersion, report } from '../registry/twin.fixture.ts'
import { putEndpoint, ServingPlan, startRelease } from './contract.ts'

const suite = await createTestPlatform()
afterAll(() => suite.drop())
const { run } = suite
const stage = playConversions(suite)
const endpoint = { environment: 'prod', endpoint: 'flights' }

/** What the nodes of prod would get. */
async function plan(): Promise<ServingPlan> {
  const { rows } = await suite.platform.read(suite.workspace, (db) =>
    sql<{ payload: string }>`select payload from releases.plan where environment = 'prod'`.execute(db),
  )
  return ServingPlan.parse(JSON.parse(rows[0]?.payload ?? ''))
}

test('a version without a graph is released by its twin, and not before that is ready', async () => {
  const { ref } = await registerBareVersion(suite, 'flights', { features: ['distance', 'hour'] })
  await run(putEndpoint, { ...endpoint, spec: { model: 'flights' } })
  const release = () => run(startRelease, { ...endpoint, version: ref })
  await expect(release()).rejects.toMatchObject({
    code: 'version_without_graph',
    hint: `Have Pave convert it: pave convert-version ${ref} --follow`,
  })

  const { conversion } = stage
  const go = Promise.withResolvers<void>()
  stage.conversion = async () => {
    await go.promise
    return conversion()
  }
  const { job } = await run(convertVersion, { version: ref })
  await expect(release()).rejects.toMatchObject({
    code: 'version_without_graph',
    message: expect.stringContaining('still being converted'),
  })
  go.resolve()
  await suite.finished(job)

  await release()
  const { twin } = await run(getVersion, { version: ref })
  expect((await plan()).versions).toEqual([
    expect.objectContaining({ ref, artifact: twin?.artifact, twin: true, signature: twin?.signature, output: 'score' }),
  ])
  const { items } = await run(listEntries, { operation: 'start-release', outcome: 'done', limit: 1 })
  expect(items[0]?.facts).toMatchObject({ version: ref, twin: twin?.artifact })
  const { document, markdown } = await run(exportEvidence, { version: ref })
  expect(document).toMatchObject({ model: { artifact: null, twin: { artifact: twin?.artifact, samples: 261 } } })
  expect(markdown).toContain(`ONNX twin \`${twin?.artifact}\` by skl2onnx 1.20.0, at most 0.00002 from the model`)
  await expect(run(deleteVersion, { version: ref })).rejects.toMatchObject({ status: 409 })
})

test('an approval is of the twin that was shown, and lapses with it', async () => {
  const spec = { appliesTo: { models: ['watched'] }, approvals: [{ tiers: [3] }] }
  const rules = [{ name: 'named', check: 'version.number > 0', message: 'It has no number' }]
  await run(putPolicy, { policy: 'watched', spec: { ...spec, rules } })
  const { ref, files, flavors, author } = await registerBareVersion(suite, 'watched')
  const watched = { environment: 'prod', endpoint: 'watched' }
  await run(putEndpoint, { ...watched, spec: { model: 'watched' } })
  const [boss, grace] = [await suite.as('boss', 'operator'), await suite.as('grace', 'approver')]
  const ask = () => run(startRelease, { ...watched, version: ref }, { as: boss })
  const waiting = async () => (await run(listPendingOperations, {})).items.filter(({ state }) => state === 'pending')

  await expect(ask()).rejects.toMatchObject({ code: 'version_without_graph' })
  expect(await waiting()).toEqual([])

  const { conversion } = stage
  const convert = async (weight: number, tolerance: number) => {
    stage.conversion = async () => ({ report, graph: new Uint8Array(linearModel({ weights: [weight, 1] })) })
    const { job } = await run(convertVersion, { version: ref, tolerance })
    await suite.finished(job)
    stage.conversion = conversion
    return (await run(getVersion, { version: ref })).twin?.artifact
  }
  const shown = await convert(3, 0.001)
  await expect(ask()).rejects.toMatchObject({ code: 'approval_required' })
  const [pending] = await waiting()
  expect(pending?.evidence).toMatchObject({
    twin: { artifact: shown, tolerance: 0.001, difference: report.difference },
  })

  await run(deleteVersion, { version: ref })
  expect(await run(registerVersion, { model: 'watched', files, flavors })).toMatchObject({ ref, author })
  expect(await convert(4, 0.01)).not.toBe(shown)
  const lapsed = await run(approve, { pending: pending?.id ?? '' }, { as: grace })
  await expect(suite.finished(lapsed.job ?? '')).rejects.toThrow('approval_lapsed')

  await expect(ask()).rejects.toMatchObject({ code: 'approval_required' })
  const again = await run(approve, { pending: (await waiting())[0]?.id ?? '' }, { as: grace })
  await suite.finished(again.job ?? '')
  const twin = (await run(getVersion, { version: ref })).twin?.artifact
  expect((await plan()).versions).toContainEqual(expect.objectContaining({ ref, artifact: twin }))
})
