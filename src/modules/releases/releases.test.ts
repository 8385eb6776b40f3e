import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createPrincipal, createToken, revokeToken } from '#modules/identity/contract.ts'
import { putModel, registerVersion } from '#modules/registry/contract.ts'
import { listEntries, recordObject } from '#platform/kernel/contract.ts'
import { linearModel } from '#testing/onnx.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { recordOf, sendChunk } from '#testing/predictions.ts'
import {
  advanceRelease,
  assessRelease,
  getEndpoint,
  getRelease,
  listEndpointHealth,
  listEndpoints,
  listReleases,
  listServedVersions,
  putEndpoint,
  reportNodeStatus,
  rollbackRelease,
  ServingPlan,
  startRelease,
} from './contract.ts'
import { planPublicKeyFile } from './plan-key.ts'

const suite = await createTestPlatform()
const { platform, run, dataDir } = suite
let url = ''
let nodeToken = ''
beforeAll(async () => {
  url = await suite.controlPlane.http.listen({ host: '127.0.0.1', port: 0 })
  await run(createPrincipal, { kind: 'node', name: 'node-1', role: 'node', scope: { environment: 'prod' } })
  nodeToken = (await run(createToken, { principal: 'node-1', name: 't' })).token
})
afterAll(() => suite.drop())

const signature = {
  inputs: [{ name: 'features', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'score', datatype: 'FP32' as const, shape: [-1, 1] }],
}
const profile = ['distance', 'hour'].map((name) => ({
  name,
  count: 1000,
  nulls: 0,
  mean: 50,
  std: 10,
  min: 0,
  max: 100,
  edges: [25, 50, 75],
  counts: [250, 250, 250, 250],
}))

/** A model with so many versions, and an endpoint for it that bears its name. */
async function prepare(model: string, versions: number, strategy: object = {}): Promise<string[]> {
  await run(putModel, { model, spec: { owner: 'team', tier: 3, task: 'regression' } })
  const artifact = await platform.services.objects.put(linearModel({ weights: [1, 2] }))
  await run(recordObject, artifact)
  const refs: string[] = []
  for (let n = 1; n <= versions; n++) {
    const metrics = { n }
    const input = { model, artifact: artifact.digest, signature, features: ['distance', 'hour'], profile, metrics }
    refs.push((await run(registerVersion, input)).ref)
  }
  await run(putEndpoint, { environment: 'prod', endpoint: model, spec: { model, strategy } })
  return refs
}

const release = (endpoint: string, version: string) => run(startRelease, { environment: 'prod', endpoint, version })
const look = (endpoint: string) => run(getEndpoint, { environment: 'prod', endpoint })

async function plan(): Promise<ServingPlan> {
  const response = await fetch(`${url}/internal/v1/serving-plan?environment=prod&after=0`, {
    headers: { authorization: `Bearer ${nodeToken}` },
  })
  const signed = await response.json()
  const publicKey = createPublicKey(await readFile(planPublicKeyFile(dataDir), 'utf8'))
  const id = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
  expect(signed.keyId).toBe(id)
  expect(verify(null, Buffer.from(signed.payload), publicKey, Buffer.from(signed.signature, 'base64'))).toBe(true)
  return ServingPlan.parse(JSON.parse(signed.payload))
}

let chunks = 0

/** Rows of one version as a node would report them. */
function answer(
  endpoint: string,
  version: string,
  variant: 'primary' | 'canary' | 'shadow',
  rows: number,
  more: object = {},
) {
  chunks += 1
  const records = Array.from({ length: rows }, (_, i) =>
    recordOf(suite, {
      id: `${chunks}-${i}`,
      endpoint,
      version,
      variant,
      features: { distance: (i * 37) % 100, hour: (i * 61) % 100 },
      ...more,
    }),
  )
  return sendChunk(suite, `chunk-${chunks}`, records)
}

const reaches = (id: string, state: string, weight?: number) =>
  vi.waitFor(async () => {
    const seen = await run(getRelease, { release: id })
    expect(seen).toMatchObject({ state, ...(weight !== undefined && { weight }) })
    return seen
  }, 5_000)

const steps = [
  { weight: '5%', requests: 60 },
  { weight: '50%', requests: 60 },
]
const guardrails = { errorRate: '5%', inputShift: { minimum: 60 } }

test('the first release serves at once; the plan that says so is signed and names the graph by digest', async () => {
  const [first = ''] = await prepare('first', 1)
  const started = await release('first', first)
  expect(started).toMatchObject({ state: 'completed', weight: 10_000, previous: null })
  expect(await look('first')).toMatchObject({ version: first, traffic: [{ version: first, weight: 10_000 }] })
  const { endpoints, versions, generation } = await plan()
  expect(endpoints.find((one) => one.endpoint === 'first')?.routes).toEqual([
    { variant: 'primary', version: first, weight: 10_000 },
  ])
  const served = versions.find((one) => one.ref === first)
  const graph = await fetch(`${url}/internal/v1/objects/${served?.artifact}`, {
    headers: { authorization: `Bearer ${nodeToken}` },
  })
  const bytes = Buffer.from(await graph.arrayBuffer())
  expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(served?.artifact)
  await run(putEndpoint, { environment: 'prod', endpoint: 'first', spec: { model: 'first' } })
  expect((await plan()).generation).toBe(generation)
  await run(putEndpoint, { environment: 'prod', endpoint: 'first', spec: { model: 'first', fallback: { value: 0 } } })
  expect((await plan()).generation).toBeGreaterThan(generation)
})

describe('a second version', () => {
  test('goes through shadow and steps to all traffic, each judged on rows of its own', async () => {
    const [one = '', two = ''] = await prepare('staged', 2, {
      shadow: { sample: '20%', requests: 60 },
      steps,
      guardrails,
    })
    await release('staged', one)
    await answer('staged', one, 'primary', 100)
    const { id } = await release('staged', two)
    const served = async () => (await plan()).endpoints.find((endpoint) => endpoint.endpoint === 'staged')
    expect(await served()).toMatchObject({
      shadows: [{ version: two, sample: 2000 }],
      routes: [{ version: one, weight: 10_000 }],
    })
    await answer('staged', two, 'shadow', 70)
    await reaches(id, 'canary', 500)
    expect((await run(listServedVersions, { models: ['staged', 'nothing'] })).items).toMatchObject([
      { version: one, environment: 'prod', endpoint: 'staged', variant: 'primary', weight: 9500 },
      { version: two, environment: 'prod', endpoint: 'staged', variant: 'canary', weight: 500, release: id },
    ])
    expect(await served()).toMatchObject({
      shadows: [],
      routes: [
        { version: one, weight: 9500 },
        { version: two, weight: 500 },
      ],
    })
    await answer('staged', two, 'canary', 30)
    await answer('staged', two, 'canary', 40)
    await reaches(id, 'canary', 5000)
    await answer('staged', two, 'canary', 70)
    const completed = await reaches(id, 'completed')
    expect(completed.history.map((one) => [one.state, one.weight])).toEqual([
      ['shadow', 0],
      ['canary', 500],
      ['canary', 5000],
      ['completed', 10_000],
    ])
    expect(completed.verdicts.map((one) => [one.guardrail, one.verdict])).toEqual([
      ['errorRate', 'pass'],
      ['inputShift', 'pass'],
    ])
    expect(await look('staged')).toMatchObject({ version: two })
    expect((await plan()).versions.map((version) => version.ref)).toEqual(expect.arrayContaining([one, two]))
  })

  test('rolls back by itself on errors, and says why with numbers', async () => {
    const [one = '', two = ''] = await prepare('failing', 2, { steps, guardrails })
    await release('failing', one)
    const { id } = await release('failing', two)
    await answer('failing', two, 'canary', 60, { status: 'error', prediction: null })
    const ended = await reaches(id, 'rolled-back')
    expect(ended.reason).toMatch(/errorRate is 1\.000, the limit is 0\.05/)
    expect(await look('failing')).toMatchObject({ version: one, traffic: [{ version: one, weight: 10_000 }] })
    const { items } = await run(listEntries, { operation: 'rollback-release', limit: 1 })
    expect(items[0]?.facts).toMatchObject({
      automatic: true,
      version: two,
      toVersion: one,
      metric: 'errorRate',
      value: 1,
    })
  })

  test('rolls back by itself when its inputs are in another unit than it was trained on', async () => {
    const [one = '', two = ''] = await prepare('kilometres', 2, { steps, guardrails })
    await release('kilometres', one)
    await answer('kilometres', one, 'primary', 100)
    const { id } = await release('kilometres', two)
    const features = { distance: 99, hour: 40 }
    await answer('kilometres', two, 'canary', 80, { features })
    expect((await reaches(id, 'rolled-back')).reason).toMatch(/inputShift of (distance|hour)/)
  })

  test('does not get all traffic while a guardrail has nothing to judge by', async () => {
    const [one = '', two = ''] = await prepare('unjudged', 2, { shadow: { sample: '5%', requests: 1 }, guardrails })
    await release('unjudged', one)
    const { id } = await release('unjudged', two)
    await answer('unjudged', two, 'shadow', 10)
    await answer('unjudged', one, 'primary', 10)
    await suite.controlPlane.flushLedger()
    expect(await run(getRelease, { release: id })).toMatchObject({ state: 'shadow' })
    await answer('unjudged', one, 'primary', 80)
    await answer('unjudged', two, 'shadow', 80)
    await reaches(id, 'completed')
  })

  test('an operator may move it on, and the next step still waits for rows of its own', async () => {
    const [one = '', two = ''] = await prepare('hurried', 2, { steps, guardrails: { errorRate: '5%' } })
    await release('hurried', one)
    const { id } = await release('hurried', two)
    await answer('hurried', two, 'canary', 55)
    expect(await run(assessRelease, { release: id })).toMatchObject({
      running: true,
      rows: { candidate: 55, step: 55, needed: 60, current: 0 },
      guardrails: [
        { guardrail: 'errorRate', verdict: 'pass', value: 0, interval: { low: 0 }, needed: 50, current: null },
      ],
      next: { state: 'canary', weight: 5000 },
      unjudged: [],
    })
    expect(await run(advanceRelease, { release: id })).toMatchObject({ weight: 5000, history: [{}, { rows: 55 }] })
    await answer('hurried', two, 'canary', 20)
    expect(await run(assessRelease, { release: id })).toMatchObject({
      rows: { candidate: 75, step: 20, needed: 60 },
      next: { state: 'completed', weight: 10_000 },
    })
    await suite.controlPlane.flushLedger()
    expect(await run(getRelease, { release: id })).toMatchObject({ state: 'canary', weight: 5000 })
    await answer('hurried', two, 'canary', 60)
    await reaches(id, 'completed')
    await expect(run(advanceRelease, { release: id })).rejects.toMatchObject({ code: 'release_ended' })
    expect(await run(assessRelease, { release: id })).toMatchObject({ running: false, next: null })
  })

  test('says before its last step which guardrails it still waits for', async () => {
    const [one = '', two = ''] = await prepare('waiting', 2, { shadow: { sample: '5%', requests: 1 }, guardrails })
    await release('waiting', one)
    const started = await run(startRelease, {
      environment: 'prod',
      endpoint: 'waiting',
      version: two,
      note: 'fewer false alarms',
    })
    expect(started).toMatchObject({ note: 'fewer false alarms', strategy: { shadow: { requests: 1 } } })
    await answer('waiting', two, 'shadow', 55)
    expect(await run(assessRelease, { release: started.id })).toMatchObject({
      next: { state: 'completed' },
      unjudged: ['inputShift'],
    })
  })
})

describe('rolling back', () => {
  const back = (endpoint: string) => run(rollbackRelease, { environment: 'prod', endpoint, reason: 'because' })

  test('ends the running release, and then returns to what served before', async () => {
    const [one = '', two = '', three = ''] = await prepare('back', 3, { steps })
    await release('back', one)
    await run(advanceRelease, { release: (await release('back', two)).id })
    const running = await run(listReleases, { environment: 'prod', endpoint: 'back' })
    await run(advanceRelease, { release: running.items[0]?.id ?? '' })
    expect(await look('back')).toMatchObject({ version: two })
    const { id } = await release('back', three)
    expect(await back('back')).toMatchObject({ id, state: 'rolled-back', version: three, reason: 'because' })
    expect(await look('back')).toMatchObject({ version: two })
    expect(await back('back')).toMatchObject({ version: two, state: 'rolled-back' })
    expect(await look('back')).toMatchObject({ version: one, traffic: [{ version: one, weight: 10_000 }] })
    await expect(back('back')).rejects.toMatchObject({ code: 'nothing_to_roll_back' })
    await release('back', two)
  })

  test('and moving on at the same moment end in one of the two', async () => {
    const [one = '', two = ''] = await prepare('both', 2, { steps: steps.slice(0, 1) })
    await release('both', one)
    const { id } = await release('both', two)
    const [moved, undone] = await Promise.allSettled([run(advanceRelease, { release: id }), back('both')])
    expect(undone.status).toBe('fulfilled')
    if (moved.status === 'rejected') expect(moved.reason).toMatchObject({ code: 'release_ended' })
    expect(await look('both')).toMatchObject({ version: one })
  })

  test('a version that a node cannot load goes back by itself', async () => {
    const [one = '', two = ''] = await prepare('unloadable', 2, { steps })
    await release('unloadable', one)
    const { id } = await release('unloadable', two)
    const failed = [{ version: two, reason: 'no such operator' }]
    await run(reportNodeStatus, { node: 'node-1', environment: 'prod', generation: 3, failed })
    expect((await reaches(id, 'rolled-back')).reason).toContain('no such operator')
  })
})

describe('is refused:', () => {
  test('a release beside another, of what serves already, or of another model', async () => {
    const [one = '', two = '', three = ''] = await prepare('busy', 3, { steps })
    await release('busy', one)
    await expect(release('busy', one)).rejects.toMatchObject({ code: 'version_already_serving' })
    const both = await Promise.allSettled([release('busy', two), release('busy', three)])
    const refused = both.filter((one) => one.status === 'rejected').map((one) => one.reason.code)
    expect(refused).toEqual(['release_in_progress'])
    const [other = ''] = await prepare('other', 1)
    await expect(release('busy', other)).rejects.toMatchObject({ code: 'version_unfit' })
    await expect(release('nothing', one)).rejects.toMatchObject({ code: 'endpoint_not_found' })
    await expect(release('busy', 'busy@99')).rejects.toMatchObject({ code: 'version_not_found' })
  })

  test('a strategy that contradicts itself', async () => {
    const spec = { model: 'first', strategy: { steps: [...steps].reverse() } }
    await expect(run(putEndpoint, { environment: 'prod', endpoint: 'wrong', spec })).rejects.toMatchObject({
      code: 'strategy_invalid',
    })
  })

  test('a node in an environment that is not its own', async () => {
    const ask = (path: string, token = nodeToken) =>
      fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } }).then((response) => response.status)
    expect(await ask('/internal/v1/serving-plan?environment=dev')).toBe(403)
    expect(await ask(`/internal/v1/objects/sha256:${'0'.repeat(64)}`)).toBe(404)
    await run(createPrincipal, { name: 'viewer', role: 'viewer' })
    const { token } = await run(createToken, { principal: 'viewer', name: 't' })
    expect(await ask('/internal/v1/serving-plan?environment=prod', token)).toBe(403)
  })
})

test('a token that is revoked leaves the plan, and a waiting node is told', async () => {
  const [one = ''] = await prepare('keyed', 1)
  await release('keyed', one)
  await run(createPrincipal, { name: 'product' })
  const { id, token } = await run(createToken, { principal: 'product', name: 't', endpoints: ['prod/keyed'] })
  const keysOf = async () => (await plan()).keys.filter((key) => key.id === id)
  await vi.waitFor(async () => expect(await keysOf()).toHaveLength(1), 5_000)
  const [key] = await keysOf()
  expect(key).toMatchObject({ endpoints: ['keyed'], hash: createHash('sha256').update(token).digest('hex') })
  const { generation } = await plan()
  const waiting = fetch(`${url}/internal/v1/serving-plan?environment=prod&after=${generation}`, {
    headers: { authorization: `Bearer ${nodeToken}` },
  })
  await run(revokeToken, { token: id })
  const next = ServingPlan.parse(JSON.parse((await (await waiting).json()).payload))
  expect(next.generation).toBeGreaterThan(generation)
  expect(next.keys.map((one) => one.id)).not.toContain(id)
})

test('the health of endpoints tells who answers, how much, how well, and which nodes lag', async () => {
  const [one = '', two = ''] = await prepare('healthy', 2, { steps })
  await release('healthy', one)
  await answer('healthy', one, 'primary', 90, { at: '2025-03-01T10:59:00.000Z', latencyUs: 2_000 })
  await answer('healthy', one, 'primary', 10, { at: '2025-03-01T12:30:00.000Z', status: 'error', prediction: null })
  await answer('healthy', one, 'primary', 5, { at: '2025-02-27T12:30:00.000Z' })
  const { id } = await release('healthy', two)
  const { generation } = await look('healthy')
  const overrides = [{ endpoint: 'healthy', version: one, reason: 'by hand' }]
  await run(reportNodeStatus, { node: 'node-9', environment: 'prod', generation: (generation ?? 0) - 1, overrides })
  const { items } = await run(listEndpointHealth, { search: 'PROD/Healthy' })
  expect(items).toMatchObject([
    {
      endpoint: 'healthy',
      version: one,
      traffic: [
        { version: one, weight: 9500 },
        { version: two, variant: 'canary', weight: 500 },
      ],
      release: { id, state: 'canary' },
      nodes: { overridden: 1 },
      openFindings: 0,
      recent: { watermark: '2025-03-01T12:30:00.000Z', spanMs: 84_600_000, rows: 100, errors: 10 },
    },
  ])
  const [health] = items
  expect(health?.nodes.lag).toBeGreaterThanOrEqual(1)
  expect(health?.recent?.hours.filter((rows) => rows > 0)).toEqual([90, 10])
  expect(health?.recent?.hours.slice(-3)).toEqual([90, 0, 10])
  expect((await look('healthy')).nodes.find((node) => node.node === 'node-9')).toMatchObject({ overrides })
  await prepare('silent', 1)
  const silent = await run(listEndpointHealth, { search: 'silent' })
  expect(silent.items).toMatchObject([{ version: null, traffic: [], release: null, recent: null }])
})

test('endpoints and releases are listed in pages', async () => {
  const all = (await run(listEndpoints, { limit: 200 })).items.map((one) => one.endpoint)
  const page = await run(listEndpoints, { limit: 3 })
  const rest = await run(listEndpoints, { limit: 200, cursor: page.nextCursor ?? '' })
  expect([...page.items, ...rest.items].map((one) => one.endpoint)).toEqual(all)
  const releases = await run(listReleases, { environment: 'prod', endpoint: 'back', limit: 1 })
  expect(releases.nextCursor).not.toBeNull()
})
