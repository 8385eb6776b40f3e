import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onlineKey } from '#algorithms/windowed-aggregation/online-key.ts'
import { type AggregationPlan, planAggregations } from '#algorithms/windowed-aggregation/plan.ts'
import { type AggregationEvent, applyEvents, emptyState, encodeState } from '#algorithms/windowed-aggregation/state.ts'
import type { ServedEndpoint, ServedVersion, ServedView, ServingPlan } from '#modules/releases/contract.ts'
import { systemClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import { openOnlineStore } from '#platform/storage/online/open-online-store.ts'
import { createLogger } from '#platform/telemetry.ts'
import { nodeToken, startFakeControlPlane } from './fake-control-plane.ts'
import { type InferenceNode, type ServeOptions, serve } from './serve.ts'
import { linearModel } from './tiny-onnx.ts'

export const workspace = '018f0000-0000-7000-8000-000000000001'
export const token = 'pave_test_token'
const hour = 3_600_000

const originView: ServedView = {
  view: 'origin-delays',
  definition: `sha256:${'a'.repeat(64)}`,
  entityFields: ['origin'],
  aggregations: [
    { name: 'flights_3h', function: 'count', window: 3 * hour, hop: hour },
    { name: 'mean_delay_3h', function: 'mean', column: 'delay', window: 3 * hour, hop: hour },
  ],
  features: [
    { name: 'origin_mean_delay_3h', aggregation: 'mean_delay_3h' },
    { name: 'origin_flights_3h', aggregation: 'flights_3h' },
  ],
}

/** Asks for an origin, a distance and the time; the features are one of each kind. */
export const delays: ServedEndpoint = {
  workspace,
  environment: 'prod',
  endpoint: 'flight-delays',
  release: null,
  routes: [{ variant: 'primary', version: 'delays@1', weight: 10_000 }],
  shadows: [],
  salt: 'salt',
  targetingField: null,
  request: [
    { name: 'origin', type: 'string' },
    { name: 'distance', type: 'int' },
    { name: 'at', type: 'timestamp' },
  ],
  timestampField: 'at',
  views: [originView],
  onDemand: [{ name: 'distance_tenths', expression: 'double(distance) / 10.0', type: 'double' }],
  fallback: null,
  limits: { timeoutMs: 2000, queue: 1000, rows: 100 },
}

const delayFeatures = ['distance', 'origin_flights_3h', 'origin_mean_delay_3h', 'distance_tenths']

/** A control plane, an online store and a place for nodes, all of one test. */
export async function createTestBed() {
  const directory = await mkdtemp(join(tmpdir(), 'pave-inference-'))
  const onlineUrl = `lmdb://${directory}/online`
  const control = await startFakeControlPlane()
  const online = await openOnlineStore(onlineUrl)
  const ids = createIds(systemClock.now)
  const nodes = new Set<InferenceNode>()

  /** A version that adds up its features: each weight shows which value the model saw. */
  function version(number: number, options: Partial<ServedVersion> & { weights?: number[]; bias?: number } = {}) {
    const { weights = [1, 1000, 1, 0], bias = 0, ...rest } = options
    const served: ServedVersion = {
      ref: `delays@${number}`,
      workspace,
      model: 'delays',
      version: number,
      artifact: control.putObject(linearModel({ weights, bias })),
      signature: {
        inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, weights.length] }],
        outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
      },
      features: delayFeatures,
      output: 'score',
      ...rest,
    }
    return served
  }

  function plan(generation: number, parts: Partial<ServingPlan> = {}): ServingPlan {
    const hash = createHash('sha256').update(token).digest('hex')
    return {
      format: 1,
      generation,
      issuedAt: '2001-01-01T00:00:00Z',
      environment: 'prod',
      keys: [{ id: 'key-1', workspace, hash, endpoints: ['*'], expiresAt: null }],
      endpoints: [delays],
      versions: [version(1)],
      ...parts,
    }
  }

  async function start(options: Partial<ServeOptions> = {}): Promise<TestNode> {
    const node = await serve({
      environment: 'prod',
      nodeName: 'node-1',
      directory: join(directory, 'node-1'),
      listen: { host: '127.0.0.1', port: 0 },
      controlUrl: control.url,
      nodeToken,
      planPublicKey: control.publicKey,
      onlineUrl,
      log: createLogger('silent'),
      clock: systemClock,
      ids,
      limits: { shipping: { everyMs: 20, longestDelayMs: 50 } },
      ...options,
    })
    nodes.add(node)
    const url = `http://127.0.0.1:${node.address.port}`
    return {
      url,
      async get(path, headers = { authorization: `Bearer ${token}` }) {
        const response = await fetch(`${url}${path}`, { headers })
        return { status: response.status, headers: response.headers, body: await readBody(response) }
      },
      async infer(body, { path = '/v2/models/flight-delays/infer', headers = {}, raw } = {}) {
        const response = await fetch(`${url}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, ...headers },
          body: raw ?? JSON.stringify(body),
        })
        return { status: response.status, headers: response.headers, body: await readBody(response) }
      },
      async close() {
        nodes.delete(node)
        await node.close()
      },
    }
  }

  return {
    directory,
    control,
    version,
    plan,
    start,
    /** Writes what the control plane would have: the state of one origin after these events. */
    async putEvents(origin: string, events: AggregationEvent[]) {
      const layout: AggregationPlan = planAggregations(originView.aggregations)
      const { state } = applyEvents(emptyState(layout), layout, events)
      const key = onlineKey(workspace, originView.view, originView.definition, [origin])
      await online.writeBatch({ puts: [{ key, value: encodeState(state, layout) }] })
    },
    async close() {
      for (const node of nodes) await node.close()
      await control.stop()
      await online.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export type TestBed = Awaited<ReturnType<typeof createTestBed>>

interface Reply {
  status: number
  headers: Headers
  body: Body
}

export interface Body {
  error?: string
  code?: string
  hint?: string
  id?: string
  name?: string
  ready?: boolean
  versions?: string[]
  model_version?: string
  parameters?: Record<string, string | boolean>
  inputs?: { name: string; datatype: string }[]
  outputs?: { name: string; datatype: string; shape: number[]; data: number[] }[]
  text?: string
}

export interface TestNode {
  url: string
  get(path: string, headers?: Record<string, string>): Promise<Reply>
  infer(body: unknown, options?: { path?: string; headers?: Record<string, string>; raw?: BodyInit }): Promise<Reply>
  close(): Promise<void>
}

async function readBody(response: Response): Promise<Body> {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch {
    return { text }
  }
}

/** An inference request for one row of the endpoint `delays`. */
export function flight(row: { origin?: string; distance?: number; at?: string; id?: string } = {}) {
  const { origin = 'SFO', distance = 100, at = '2001-03-04T12:30:00Z', id } = row
  return {
    ...(id !== undefined && { id }),
    inputs: [
      { name: 'origin', datatype: 'BYTES', shape: [1], data: [origin] },
      { name: 'distance', datatype: 'INT64', shape: [1], data: [distance] },
      { name: 'at', datatype: 'BYTES', shape: [1], data: [at] },
    ],
  }
}

/** Returns as soon as the condition holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not happen within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
