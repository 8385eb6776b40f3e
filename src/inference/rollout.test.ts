import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ServedEndpoint } from '#modules/releases/contract.ts'
import { writeOverrides } from './override.ts'
import { createTestBed, delays, flight, type TestBed, type TestNode, until, workspace } from './test-node.ts'

let bed: TestBed

beforeEach(async () => {
  bed = await createTestBed()
})

afterEach(() => bed.close())

/** An endpoint without features from the store: the score is the bias of the version that answered. */
const simple: ServedEndpoint = { ...delays, views: [], onDemand: [], targetingField: 'origin' }

const version = (number: number) => bed.version(number, { weights: [0], bias: number, features: ['distance'] })

function routed(generation: number, weights: [number, number][], parts: Partial<ServedEndpoint> = {}) {
  const routes = weights.map(([number, weight], index) => ({
    variant: index === 0 ? ('primary' as const) : ('canary' as const),
    version: `delays@${number}`,
    weight,
  }))
  const versions = [1, 2].map(version)
  return bed.plan(generation, { endpoints: [{ ...simple, routes, ...parts }], versions })
}

async function startReady(options: Parameters<TestBed['start']>[0] = {}): Promise<TestNode> {
  const node = await bed.start(options)
  await until(async () => (await node.get('/v2/health/ready')).status === 200, 'readiness')
  return node
}

/** Which version answers, or the error's code. */
const answering = async (node: TestNode, origin = 'SFO') => {
  const { body } = await node.infer(flight({ origin }))
  return body.model_version ?? body.code
}

const serves = (node: TestNode, wanted: string) =>
  until(async () => (await answering(node)) === wanted, `version ${wanted}`)

describe('a canary', () => {
  test('gets its share, keeps its keys, and gains others as the weight grows', async () => {
    bed.control.publish(
      routed(1, [
        [1, 9000],
        [2, 1000],
      ]),
    )
    const node = await startReady()
    const keys = Array.from({ length: 400 }, (_, index) => `key-${index}`)
    const exposed = async () => {
      const versions = await Promise.all(keys.map((key) => answering(node, key)))
      return keys.filter((_, index) => versions[index] === '2')
    }
    const ten = await exposed()
    expect(ten.length).toBeGreaterThan(15)
    expect(ten.length).toBeLessThan(75)
    expect(await exposed()).toEqual(ten)

    bed.control.publish(
      routed(2, [
        [1, 5000],
        [2, 5000],
      ]),
    )
    await until(async () => (await exposed()).length > 120, 'the larger share')
    const half = await exposed()
    expect(half.length).toBeLessThan(280)
    expect(half).toEqual(expect.arrayContaining(ten))
  })

  test('rows of one request go each to the version of its own key', async () => {
    bed.control.publish(
      routed(1, [
        [1, 5000],
        [2, 5000],
      ]),
    )
    const node = await startReady()
    const origins = Array.from({ length: 20 }, (_, index) => `key-${index}`)
    const alone = await Promise.all(origins.map((origin) => answering(node, origin)))
    const { body } = await node.infer({
      inputs: flight().inputs.map((tensor) => ({
        ...tensor,
        shape: [20],
        data: tensor.name === 'origin' ? origins : new Array(20).fill(tensor.data[0]),
      })),
    })
    expect(body.outputs?.[0]?.data.map(String)).toEqual(alone)
    expect(new Set(alone).size).toBe(2)
  })

  test('a targeting key of the request decides before the field does', async () => {
    bed.control.publish(
      routed(1, [
        [1, 5000],
        [2, 5000],
      ]),
    )
    const node = await startReady()
    const versions = new Set<string | undefined>()
    for (let i = 0; i < 10; i++) {
      const body = { ...flight({ origin: `key-${i}` }), parameters: { targeting_key: 'customer-7' } }
      versions.add((await node.infer(body)).body.model_version)
    }
    expect(versions.size).toBe(1)
  })

  test('a version in the path is answered by that version', async () => {
    bed.control.publish(
      routed(1, [
        [1, 10_000],
        [2, 0],
      ]),
    )
    const node = await startReady()
    const path = '/v2/models/flight-delays/versions/2/infer'
    expect((await node.infer(flight(), { path })).body.outputs?.[0]?.data).toEqual([2])
  })
})

test('a shadow sees copies, is recorded, and answers nobody', async () => {
  bed.control.publish(routed(1, [[1, 10_000]], { shadows: [{ version: 'delays@2', sample: 10_000 }] }))
  const node = await startReady()
  for (let i = 0; i < 20; i++) expect((await node.infer(flight({ id: `r${i}` }))).body.outputs?.[0]?.data).toEqual([1])
  const shadows = () => bed.control.records.filter(({ variant }) => variant === 'shadow')
  await until(() => shadows().length === 20, 'twenty shadow records')
  expect(new Set(shadows().map(({ version: ref, prediction }) => `${ref} ${prediction}`))).toEqual(
    new Set(['delays@2 2']),
  )
})

test('plans change under load without one failed request, and a rollback takes less than a second', async () => {
  bed.control.publish(
    routed(1, [
      [1, 10_000],
      [2, 0],
    ]),
  )
  const node = await startReady()
  let running = true
  const statuses = new Map<number, number>()
  const client = async (name: number) => {
    for (let i = 0; running; i++) {
      const { status } = await node.infer(flight({ origin: `${name}-${i}` }))
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  const clients = Promise.all(Array.from({ length: 8 }, (_, name) => client(name)))
  let rollbackMs = 0
  for (let generation = 2; generation <= 9; generation += 2) {
    // A third version comes and goes, so that models are loaded and unloaded meanwhile.
    const forward = routed(generation, [
      [2, 10_000],
      [1, 0],
    ])
    bed.control.publish({ ...forward, versions: [...forward.versions, version(generation + 10)] })
    await serves(node, '2')
    const publishedAt = performance.now()
    bed.control.publish(
      routed(generation + 1, [
        [1, 10_000],
        [2, 0],
      ]),
    )
    await serves(node, '1')
    rollbackMs = Math.max(rollbackMs, performance.now() - publishedAt)
  }
  running = false
  await clients
  expect([...statuses.keys()]).toEqual([200])
  expect(statuses.get(200)).toBeGreaterThan(50)
  expect(rollbackMs).toBeLessThan(1000)
})

describe('without the control plane', () => {
  test('a node goes on, starts again from its disk, and takes the next plan when it is back', async () => {
    bed.control.publish(routed(1, [[1, 10_000]]))
    const node = await startReady()
    await bed.control.stop()
    for (let i = 0; i < 20; i++) expect(await answering(node)).toBe('1')
    await node.close()

    const again = await bed.start()
    expect((await again.get('/v2/health/ready')).status).toBe(200)
    expect(await answering(again)).toBe('1')

    await bed.control.start()
    bed.control.publish(routed(2, [[2, 10_000]]))
    await serves(again, '2')
  })

  test('a signed override forces a loaded version until it is removed', async () => {
    bed.control.publish(
      routed(1, [
        [2, 10_000],
        [1, 0],
      ]),
    )
    const node = await startReady()
    await bed.control.stop()
    const directory = join(bed.directory, 'node-1')
    const override = {
      workspace,
      endpoint: 'flight-delays',
      version: 'delays@1',
      reason: 'late flights are not found',
      actor: 'ada',
      at: '2001-03-04T12:30:00Z',
    }
    await writeOverrides(directory, 'prod', [override])
    await serves(node, '1')

    await bed.control.start()
    bed.control.publish(
      routed(2, [
        [2, 9000],
        [1, 1000],
      ]),
    )
    await until(
      () => bed.control.statuses.some(({ overrides, generation }) => generation === 2 && overrides.length === 1),
      'the report',
    )
    expect(await answering(node)).toBe('1')

    await writeOverrides(directory, 'prod', [])
    await serves(node, '2')
  })

  test('an override that somebody else signed is not taken', async () => {
    bed.control.publish(
      routed(1, [
        [2, 10_000],
        [1, 0],
      ]),
    )
    const lines: string[] = []
    const node = await startReady({ log: pino({ level: 'error' }, { write: (line) => void lines.push(line) }) })
    const overrides = [
      {
        workspace,
        endpoint: 'flight-delays',
        version: 'delays@1',
        reason: 'x',
        actor: 'eve',
        at: '2001-03-04T12:30:00Z',
      },
    ]
    const elsewhere = join(bed.directory, 'elsewhere')
    await writeOverrides(elsewhere, 'prod', overrides)
    await copyFile(join(elsewhere, 'override.json'), join(bed.directory, 'node-1', 'override.json'))
    await until(() => lines.some((line) => line.includes('override_refused')), 'the refusal')
    expect(await answering(node)).toBe('2')
  })
})

describe('a plan', () => {
  test('is refused when it is older or altered', async () => {
    bed.control.publish(routed(5, [[1, 10_000]]))
    const node = await startReady()
    const newer = bed.control.sign(routed(6, [[2, 10_000]]))
    const refused = [
      bed.control.sign(routed(5, [[2, 10_000]])),
      { ...newer, payload: newer.payload.replace('"generation":6', '"generation":7') },
    ]
    for (const document of refused) {
      bed.control.offer(document)
      const asked = bed.control.planRequests()
      await until(() => bed.control.planRequests() > asked, 'the next question')
      expect(await answering(node)).toBe('1')
    }
    bed.control.publish(routed(6, [[2, 10_000]]))
    await serves(node, '2')
  })

  test('whose artifact is corrupt is applied but for the endpoint that needs it', async () => {
    const other = { ...simple, endpoint: 'other' }
    bed.control.publish(bed.plan(1, { endpoints: [simple, other], versions: [version(1)] }))
    const node = await startReady()
    const broken = version(2)
    bed.control.corrupt(broken.artifact)
    const moved: ServedEndpoint = { ...simple, routes: [{ variant: 'primary', version: 'delays@2', weight: 10_000 }] }
    const renamed: ServedEndpoint = { ...other, endpoint: 'renamed' }
    bed.control.publish(bed.plan(2, { endpoints: [moved, renamed], versions: [version(1), broken] }))
    bed.control.corrupt(broken.artifact)

    const path = '/v2/models/renamed/infer'
    await until(async () => (await node.infer(flight(), { path })).status === 200, 'the other endpoint')
    expect(await answering(node)).toBe('1')
    await until(() => (bed.control.statuses.at(-1)?.failed.length ?? 0) > 0, 'the report')
    expect(bed.control.statuses.at(-1)?.failed[0]).toMatchObject({
      version: 'delays@2',
      reason: expect.stringContaining('digest'),
    })

    await node.close()
    await bed.control.stop()
    const again = await bed.start()
    expect(await answering(again)).toBe('1')
    expect((await again.infer(flight(), { path })).status).toBe(200)
  })

  test.each([
    [
      'a signature that the graph contradicts',
      { signature: { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }], outputs: [] } },
      'x',
    ],
    ['a feature that the endpoint does not have', { features: ['altitude'] }, 'altitude'],
  ])('with %s leaves the endpoint as it was', async (_what, change, named) => {
    bed.control.publish(routed(1, [[1, 10_000]]))
    const node = await startReady()
    const plan = routed(2, [[3, 10_000]])
    bed.control.publish({ ...plan, versions: [version(1), { ...version(3), ...change }] })
    await until(() => bed.control.statuses.at(-1)?.generation === 2, 'the report')
    expect(await answering(node)).toBe('1')
    expect(bed.control.statuses.at(-1)?.failed[0]).toMatchObject({
      version: 'delays@3',
      reason: expect.stringContaining(named),
    })
  })

  test('an endpoint before its first release is not found wanting, only empty', async () => {
    bed.control.publish(routed(1, []))
    const node = await startReady()
    expect(await answering(node)).toBe('endpoint_unavailable')
  })
})

test('a model that fails is answered by the fallback, marked and recorded', async () => {
  const scale = bed.version(1, { weights: [Number.POSITIVE_INFINITY], features: ['distance'] })
  bed.control.publish(bed.plan(1, { endpoints: [{ ...simple, fallback: { value: 0.25 } }], versions: [scale] }))
  const node = await startReady()
  const { status, body } = await node.infer(flight({ id: 'saved' }))
  expect(status).toBe(200)
  expect(body.outputs?.[0]).toEqual({ name: 'score', datatype: 'FP32', shape: [1], data: [0.25] })
  expect(body.parameters).toMatchObject({ fallback: true })
  await until(() => bed.control.records.length > 0, 'the record')
  expect(bed.control.records[0]).toMatchObject({
    status: 'fallback',
    errorCode: 'prediction_not_finite',
    prediction: 0.25,
  })
})

test('more requests than the endpoint lets wait are turned away, and the next ones are not', async () => {
  bed.control.publish(routed(1, [[1, 10_000]], { limits: { ...simple.limits, queue: 1 } }))
  const node = await startReady()
  const replies = await Promise.all(Array.from({ length: 30 }, () => node.infer(flight())))
  const refused = replies.filter(({ status }) => status === 503)
  expect(refused.length).toBeGreaterThan(0)
  expect(refused.length).toBeLessThan(30)
  expect(refused[0]?.headers.get('retry-after')).toBe('1')
  expect(refused[0]?.body.code).toBe('queue_full')
  expect(await answering(node)).toBe('1')
})

test('an endpoint without features takes the tensors of its model', async () => {
  const plain: ServedEndpoint = { ...simple, request: [], timestampField: null, targetingField: null }
  bed.control.publish(bed.plan(1, { endpoints: [plain], versions: [bed.version(1, { weights: [1, 10] })] }))
  const node = await startReady()
  const infer = (shape: number[], data: number[]) =>
    node.infer({ inputs: [{ name: 'features', datatype: 'FP32', shape, data }] })
  expect((await infer([2, 2], [1, 2, 3, 4])).body.outputs?.[0]).toMatchObject({
    name: 'score',
    shape: [2, 1],
    data: [21, 43],
  })
  expect((await infer([1, 3], [1, 2, 3])).body.code).toBe('tensor_shape_mismatch')
})

test('closing finishes what is in flight and keeps its records', async () => {
  bed.control.publish(routed(1, [[1, 10_000]]))
  const node = await startReady()
  const inFlight = Array.from({ length: 50 }, (_, index) => node.infer(flight({ id: `last-${index}` })))
  await inFlight[0]
  const closing = node.close()
  const statuses = (await Promise.allSettled(inFlight)).flatMap((one) =>
    one.status === 'fulfilled' ? [one.value.status] : [],
  )
  await closing
  expect(new Set(statuses)).toEqual(new Set([200]))
  const ids = bed.control.records.map(({ id }) => id)
  expect(ids.length).toBe(statuses.length)
  expect(new Set(ids).size).toBe(ids.length)
})

test('records are shipped exactly once after the control plane was away and forgot to answer', async () => {
  bed.control.publish(routed(1, [[1, 10_000]]))
  const node = await startReady()
  await bed.control.stop()
  for (let i = 0; i < 30; i++) await node.infer(flight({ id: `r${i}` }))
  await node.close()
  const again = await bed.start()
  bed.control.forgetAnswers(2)
  await bed.control.start()
  for (let i = 30; i < 60; i++) await again.infer(flight({ id: `r${i}` }))
  await until(() => bed.control.records.length >= 60, 'all records')
  await again.close()
  const ids = bed.control.records.map(({ id }) => id)
  expect(ids.length).toBe(60)
  expect(new Set(ids)).toEqual(new Set(Array.from({ length: 60 }, (_, index) => `r${index}`)))
})
