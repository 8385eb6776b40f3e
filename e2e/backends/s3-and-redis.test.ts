import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ingestDataset } from '#modules/datasets/contract.ts'
import { materializeViews, pushEvents } from '#modules/feature-store/contract.ts'
import { registerVersion } from '#modules/registry/contract.ts'
import { startRelease } from '#modules/releases/contract.ts'
import { openAnalytics } from '#platform/analytics/duckdb.ts'
import { getJob } from '#platform/kernel/contract.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { linearModel } from '#testing/onnx.ts'
import { createPlace, type Pave, type Place, pave, startPave } from '../support/start-pave.ts'
import { eventually } from '../support/wait.ts'
import { outsideProgram } from './outside-program.ts'
import { type RedisServer, startRedis } from './start-redis.ts'
import { credentials, type S3Server, startVersitygw, versitygw } from './start-versitygw.ts'

const redisProgram = outsideProgram('redis-server')
const s3Program = versitygw()
const hour = 3_600_000
const twoHoursAgo = new Date(Date.now() - 2 * hour).toISOString()

const manifests = `
apiVersion: pave/v1
kind: Dataset
metadata: { name: payments }
spec:
  source: { file: payments.parquet }
  timeColumn: at
  columns: { at: { type: timestamp }, card: { type: string }, amount: { type: double } }
---
apiVersion: pave/v1
kind: Entity
metadata: { name: card }
spec: { joinKeys: [{ name: card, type: string }] }
---
apiVersion: pave/v1
kind: FeatureView
metadata: { name: spending }
spec:
  entity: card
  dataset: payments
  keys: { card: card }
  timestamp: at
  aggregations: [{ name: spent_24h, function: sum, column: amount, window: 24h, hop: 1h }]
---
apiVersion: pave/v1
kind: FeatureService
metadata: { name: fraud }
spec:
  request: [{ name: at, type: timestamp }, { name: card, type: string }]
  timestampField: at
  features: [{ view: spending, keys: { card: card }, features: { spent: spent_24h } }]
---
apiVersion: pave/v1
kind: Model
metadata: { name: fraud }
spec: { owner: ada, tier: 4, task: regression }
---
apiVersion: pave/v1
kind: Endpoint
metadata: { environment: prod, name: fraud }
spec: { model: fraud, featureService: fraud, fallback: { value: -1 }, limits: { timeoutMs: 10000, rows: 4 } }
`

describe.skipIf('missing' in redisProgram || 'missing' in s3Program)('Pave on S3 and Redis', () => {
  it('keeps artifacts in the bucket and features in Redis, and serves through the loss of both', {
    timeout: 180_000,
  }, async () => {
    const s3 = await startVersitygw('path' in s3Program ? s3Program.path : '')
    const redis = await startRedis('path' in redisProgram ? redisProgram.path : '')
    const place = await createPlace()
    Object.assign(place.env, credentials, {
      OBJECTS_URL: `s3://objects/pave?endpoint=${s3.endpoint}&pathStyle=true`,
      ONLINE_URL: `redis://127.0.0.1:${redis.port}/0`,
    })
    const up = await startPave(place)
    await declare(place, up)
    const { admin } = up
    const push = (batch: string, card: string, amount: number) =>
      admin.call(pushEvents, {
        dataset: 'payments',
        batch,
        columns: { at: [twoHoursAgo], card: [card], amount: [amount] },
      })
    const answer = await eventually(async () => {
      const asked = await ask(place, up, 'a')
      return asked.value === 12 && asked
    })
    expect(answer).toEqual({ status: 200, value: 12, fallback: false })

    await push('first', 'a', 30)
    expect(await ask(place, up, 'a')).toEqual({ status: 200, value: 42, fallback: false })

    await loseRedis(redis, place, up, push)
    await loseS3(s3, place, up)
    expect(await up.stop()).toBe(0)
  })
})

/** From a file in the bucket to states in Redis, and a model that answers what a card has spent. */
async function declare(place: Place, { admin }: Pave): Promise<void> {
  const directory = join(place.dataDir, 'project')
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'pave.yaml'), manifests)
  await writePayments(join(directory, 'payments.parquet'))
  expect(await pave(place, ['apply', directory])).toMatchObject({ code: 0 })
  const ingested = await admin.call(ingestDataset, { dataset: 'payments' })
  await finished(admin, ingested.job)
  const filled = await admin.call(materializeViews, { dataset: 'payments@1' })
  await finished(admin, filled.job)
  const body = new Uint8Array(linearModel({ weights: [1] }))
  const { digest: artifact } = await (await admin.raw('POST', '/api/v1/objects', { body })).json()
  const signature = {
    inputs: [{ name: 'features', datatype: 'FP32' as const, shape: [-1, 1] }],
    outputs: [{ name: 'score', datatype: 'FP32' as const, shape: [-1, 1] }],
  }
  const { ref } = await admin.call(registerVersion, { model: 'fraud', artifact, signature, features: ['spent'] })
  await admin.call(startRelease, { environment: 'prod', endpoint: 'fraud', version: ref })
}

/** One payment of 12 by each of two cards, three hours ago. */
async function writePayments(path: string): Promise<void> {
  const directory = dirname(path)
  const limits = { memoryLimitMb: 256, threads: 1, timeoutMs: 30_000, maxChildren: 1 }
  const analytics = await openAnalytics({ tempDir: join(directory, 'temp'), directories: [directory], ...limits })
  const at = new Date(Date.now() - 3 * hour).toISOString()
  await analytics.run(
    `COPY (SELECT TIMESTAMP '${at}' AS at, card, 12.0::DOUBLE AS amount FROM (VALUES ('a'), ('b')) cards(card))
     TO '${path}' (FORMAT parquet)`,
  )
  await analytics.close()
}

async function finished(admin: Client, job: string): Promise<void> {
  await eventually(async () => {
    const { state, error } = await admin.call(getJob, { job, wait: 5 })
    if (state === 'failed' || state === 'cancelled') throw new Error(`the job ${state}: ${error?.message}`)
    return state === 'done'
  })
}

async function ask(place: Place, { token }: Pave, card: string) {
  const inputs = [
    { name: 'at', shape: [1], datatype: 'BYTES', data: [new Date().toISOString()] },
    { name: 'card', shape: [1], datatype: 'BYTES', data: [card] },
  ]
  const response = await fetch(`${place.inferenceUrl}/v2/models/fraud/infer`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ inputs }),
  })
  const body = await response.json()
  return {
    status: response.status,
    value: body.outputs?.[0]?.data[0],
    fallback: body.parameters?.fallback ?? false,
  }
}

/** Answers go on with the fallback, and at once; writes wait, and count once. */
async function loseRedis(redis: RedisServer, place: Place, up: Pave, push: Push): Promise<void> {
  await redis.process.kill()
  const started = performance.now()
  expect(await ask(place, up, 'a')).toMatchObject({ status: 200, value: -1 })
  expect(performance.now() - started).toBeLessThan(500)
  const pushing = push('second', 'a', 8)
  await redis.restart()
  expect(await pushing).toMatchObject({ accepted: 1, repeated: false })
  expect(await push('second', 'a', 8)).toMatchObject({ accepted: 1, repeated: true })
  const after = await eventually(async () => {
    const asked = await ask(place, up, 'a')
    return asked.value !== -1 && asked
  })
  expect(after).toMatchObject({ value: 50 })
}

/** What is served stays served, and an upload says why it cannot be kept. */
async function loseS3(s3: S3Server, place: Place, up: Pave): Promise<void> {
  await s3.process.kill()
  expect(await ask(place, up, 'b')).toMatchObject({ status: 200, value: 12 })
  const body = new TextEncoder().encode('a new artifact')
  const uploading = up.admin.raw('POST', '/api/v1/objects', { body })
  await s3.restart()
  const { digest } = await (await uploading).json()
  const stored = await up.admin.raw('GET', `/api/v1/objects/${digest}`)
  expect(await stored.text()).toBe('a new artifact')
}

type Push = (batch: string, card: string, amount: number) => Promise<unknown>
