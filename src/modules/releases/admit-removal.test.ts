import { afterAll, expect, test } from 'vitest'
import { deleteModel, deleteVersion, putModel, registerVersion, renameModel } from '#modules/registry/contract.ts'
import { recordObject } from '#platform/kernel/contract.ts'
import { linearModel } from '#testing/onnx.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { putEndpoint, startRelease } from './contract.ts'

const suite = await createTestPlatform()
afterAll(() => suite.drop())
const { platform, run } = suite

async function makeModel(model: string): Promise<void> {
  await run(putModel, { model, spec: { owner: 'team', tier: 3, task: 'regression' } })
  const artifact = await platform.services.objects.put(linearModel({ weights: [1, 2] }))
  await run(recordObject, artifact)
  const signature = {
    inputs: [{ name: 'features', datatype: 'FP32' as const, shape: [-1, 2] }],
    outputs: [{ name: 'score', datatype: 'FP32' as const, shape: [-1, 1] }],
  }
  for (const n of [1, 2]) {
    await run(registerVersion, { model, artifact: artifact.digest, signature, metrics: { n } })
  }
}

const inUse = { code: 'admission_denied', details: { reasons: [{ rule: 'in use' }] } }

test('what was released stays, and so does the name of a model that an endpoint serves', async () => {
  await makeModel('served')
  await run(putEndpoint, { environment: 'prod', endpoint: 'served', spec: { model: 'served' } })
  await run(startRelease, { environment: 'prod', endpoint: 'served', version: 'served@1' })
  await expect(run(deleteVersion, { version: 'served@1' })).rejects.toMatchObject(inUse)
  await expect(run(deleteModel, { model: 'served' })).rejects.toMatchObject(inUse)
  await expect(run(renameModel, { model: 'served', name: 'other' })).rejects.toMatchObject(inUse)
  expect(await run(deleteVersion, { version: 'served@2' })).toEqual({ removed: true })
})

test('what nobody serves may go', async () => {
  await makeModel('unserved')
  await run(renameModel, { model: 'unserved', name: 'elsewhere' })
  expect(await run(deleteModel, { model: 'elsewhere' })).toEqual({ removed: true })
})

test('a version without a graph is not released', async () => {
  await makeModel('text')
  const { ref } = await run(registerVersion, { model: 'text', properties: { text: 'Hello' } })
  await run(putEndpoint, { environment: 'prod', endpoint: 'text', spec: { model: 'text' } })
  await expect(run(startRelease, { environment: 'prod', endpoint: 'text', version: ref })).rejects.toMatchObject({
    code: 'version_without_graph',
  })
})
