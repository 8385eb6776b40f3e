import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { registerVersion, type Signature } from '#modules/registry/contract.ts'
import { startRelease } from '#modules/releases/contract.ts'
import { linearModel } from '#testing/onnx.ts'
import { type Pave, type Place, pave } from './start-pave.ts'
import { eventually } from './wait.ts'

export const endpoint = { environment: 'prod', endpoint: 'tiny' }

export const signature: Signature = {
  inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
}

const manifests = `
apiVersion: pave/v1
kind: Model
metadata: { name: tiny }
spec: { owner: ada, tier: 4, task: regression }
---
apiVersion: pave/v1
kind: FeatureService
metadata: { name: tiny }
spec:
  request:
    - { name: at, type: timestamp }
    - { name: distance, type: double }
  timestampField: at
  features: []
  onDemand:
    - { name: tens, type: double, expression: distance / 10.0 }
    - { name: hour, type: int, expression: at.getHours() }
---
apiVersion: pave/v1
kind: Endpoint
metadata: { environment: prod, name: tiny }
spec: { model: tiny, featureService: tiny, limits: { timeoutMs: 10000, rows: 4 } }
`

/** A model that answers distance / 10 + hour, declared by manifests, registered and released. */
export async function serveTinyModel(place: Place, { admin, token }: Pick<Pave, 'admin' | 'token'>): Promise<void> {
  const directory = join(place.dataDir, 'project')
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'tiny.yaml'), manifests)
  const applied = await pave(place, ['apply', directory])
  expect(applied).toMatchObject({ code: 0, stdout: expect.stringContaining('3 created') })
  const body = new Uint8Array(linearModel({ weights: [1, 1] }))
  const { digest: artifact } = await (await admin.raw('POST', '/api/v1/objects', { body })).json()
  const features = ['tens', 'hour']
  const { ref } = await admin.call(registerVersion, { model: 'tiny', artifact, signature, features })
  await admin.call(startRelease, { ...endpoint, version: ref })
  await eventually(async () => {
    const path = `${place.inferenceUrl}/v2/models/tiny/ready`
    const answer = await fetch(path, { headers: { authorization: `Bearer ${token}` } }).catch(() => undefined)
    return answer?.status === 200
  })
}

/** One row for the tiny model. */
export function question(id: string, at: Date) {
  return {
    id,
    inputs: [
      { name: 'at', shape: [1], datatype: 'BYTES', data: [at.toISOString()] },
      { name: 'distance', shape: [1], datatype: 'FP64', data: [120] },
    ],
  }
}
