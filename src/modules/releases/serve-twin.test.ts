import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { exportEvidence } from '#modules/governance/contract.ts'
import { deleteVersion, getVersion } from '#modules/registry/contract.ts'
import { convertVersion } from '#modules/registry/twin-contract.ts'
import { listEntries } from '#platform/kernel/contract.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { playConversions, registerBareVersion } from '../registry/twin.fixture.ts'
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
