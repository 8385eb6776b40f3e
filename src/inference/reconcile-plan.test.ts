import { expect, test } from 'vitest'
import type { ServedEndpoint, ServedVersion, ServingPlan } from '#modules/releases/contract.ts'
import { createLogger } from '#platform/telemetry.ts'
import { createReconciler } from './reconcile-plan.ts'
import { endpointKey } from './route-table.ts'
import { delays, workspace } from './test-node.ts'

/** A reconciler whose models load when the test says so. */
function setUp() {
  const unloaded: string[] = []
  const loads = new Map<string, { resolve(): void; reject(error: Error): void }>()
  const reconciler = createReconciler({
    pool: {
      load: ({ version }) =>
        new Promise<void>((resolve, reject) => {
          loads.set(version.slice(workspace.length + 1), { resolve, reject })
        }),
      unload: (version) => void unloaded.push(version.slice(workspace.length + 1)),
    },
    artifacts: { read: async () => new Uint8Array() },
    log: createLogger('silent'),
    onChange: () => undefined,
  })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return {
    reconciler,
    unloaded,
    serving: () => reconciler.table().endpoints.get(endpointKey(workspace, delays.endpoint)),
    accept: (plan: ServingPlan) =>
      reconciler.accept(plan, { payload: String(plan.generation), signature: '', keyId: '' }),
    async load(ref: string, error?: Error) {
      await turn()
      if (error === undefined) loads.get(ref)?.resolve()
      else loads.get(ref)?.reject(error)
      await turn()
    },
  }
}

const version = (number: number): ServedVersion => ({
  ref: `delays@${number}`,
  workspace,
  model: 'delays',
  version: number,
  artifact: `sha256:${number}`,
  signature: {
    inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 1] }],
    outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
  },
  features: ['distance'],
  output: 'score',
})

function plan(
  generation: number,
  serving: number,
  versions: number[],
  endpoint: Partial<ServedEndpoint> = {},
): ServingPlan {
  const routes = [{ variant: 'primary' as const, version: `delays@${serving}`, weight: 10_000 }]
  return {
    format: 1,
    generation,
    issuedAt: '2001-01-01T00:00:00Z',
    environment: 'prod',
    keys: [],
    endpoints: [{ ...delays, views: [], onDemand: [], routes, ...endpoint }],
    versions: versions.map(version),
  }
}

const versionServing = (endpoint: ReturnType<ReturnType<typeof setUp>['serving']>) => endpoint?.routes[0]?.version.ref

test('an endpoint moves when its version is loaded, and back at once while another is still loading', async () => {
  const { reconciler, accept, load, serving } = setUp()
  accept(plan(1, 1, [1]))
  expect(serving()).toBeUndefined()
  expect(reconciler.complete()).toBe(false)
  await load('delays@1')
  expect(versionServing(serving())).toBe('delays@1')
  expect(reconciler.complete()).toBe(true)

  accept(plan(2, 2, [1, 2]))
  expect(versionServing(serving())).toBe('delays@1')
  await load('delays@2')
  expect(versionServing(serving())).toBe('delays@2')

  accept(plan(3, 2, [1, 2, 3]))
  accept(plan(4, 1, [1, 2, 3]))
  expect(reconciler.loading()).toBe(true)
  expect(versionServing(serving())).toBe('delays@1')
})

test('a version is unloaded when no plan, no endpoint and no request in flight needs it', async () => {
  const { accept, load, serving, unloaded } = setUp()
  accept(plan(1, 1, [1]))
  await load('delays@1')
  const before = serving()
  if (before === undefined) throw new Error('nothing is served')
  before.active = 2
  accept(plan(2, 2, [2]))
  expect(unloaded).toEqual([])
  await load('delays@2')
  expect(versionServing(serving())).toBe('delays@2')
  expect(unloaded).toEqual([])
  before.active = 0
  before.onDrained?.()
  expect(unloaded).toEqual(['delays@1'])
})

test('what cannot be loaded is reported, kept out, and tried again', async () => {
  const { reconciler, accept, load, serving } = setUp()
  accept(plan(1, 1, [1]))
  await load('delays@1')
  accept(plan(2, 2, [1, 2]))
  await load('delays@2', new Error('no such bytes'))
  expect(versionServing(serving())).toBe('delays@1')
  expect(reconciler.status()).toMatchObject({ generation: 2, versions: ['delays@1'] })
  expect(reconciler.status().failed[0]).toEqual({ version: 'delays@2', reason: 'no such bytes' })
  expect(reconciler.documents().map(({ payload }) => payload)).toEqual(['1', '2'])

  reconciler.retry()
  await load('delays@2')
  expect(versionServing(serving())).toBe('delays@2')
  expect(reconciler.status().failed).toEqual([])
  expect(reconciler.documents().map(({ payload }) => payload)).toEqual(['2'])
})

test('a version without traffic does not hold up the others', async () => {
  const { accept, load, serving } = setUp()
  const routes = [
    { variant: 'primary' as const, version: 'delays@1', weight: 10_000 },
    { variant: 'canary' as const, version: 'delays@2', weight: 0 },
  ]
  accept(plan(1, 1, [1, 2], { routes }))
  await load('delays@1')
  expect(serving()?.routes).toHaveLength(1)
  await load('delays@2')
  expect(serving()?.routes).toHaveLength(2)
})

test('an override holds while plans change, and without a loaded version changes nothing', async () => {
  const { reconciler, accept, load, serving } = setUp()
  const override = { workspace, endpoint: delays.endpoint, reason: 'x', actor: 'ada', at: '2001-01-01T00:00:00Z' }
  accept(plan(1, 1, [1, 2]))
  await load('delays@1')
  await load('delays@2')
  reconciler.override([{ ...override, version: 'delays@2' }])
  expect(versionServing(serving())).toBe('delays@2')
  accept(plan(2, 1, [1, 2]))
  expect(versionServing(serving())).toBe('delays@2')
  expect(reconciler.status().overrides).toHaveLength(1)

  reconciler.override([{ ...override, version: 'delays@9' }])
  expect(versionServing(serving())).toBe('delays@1')
  expect(reconciler.status().overrides).toEqual([])
  expect(reconciler.status().failed).toHaveLength(1)
})
