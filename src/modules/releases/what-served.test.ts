import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { putPolicy } from '#modules/governance/contract.ts'
import { putModel, registerVersion } from '#modules/registry/contract.ts'
import { approve, getEntry, listPendingOperations, recordObject } from '#platform/kernel/contract.ts'
import { linearModel } from '#testing/onnx.ts'
import { createTestPlatform } from '#testing/platform.ts'
import {
  advanceRelease,
  putEndpoint,
  reportNodeStatus,
  rollbackRelease,
  ServingPlan,
  startRelease,
} from './contract.ts'
import { listServedSpans, whatServed, whenServed } from './served-contract.ts'

const suite = await createTestPlatform()
const { platform, run, workspace } = suite
let artifact = ''
beforeAll(async () => {
  const stored = await platform.services.objects.put(linearModel({ weights: [1, 2] }))
  await run(recordObject, stored)
  artifact = stored.digest
})
afterAll(() => suite.drop())

const signature = {
  inputs: [{ name: 'features', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'score', datatype: 'FP32' as const, shape: [-1, 1] }],
}
const strategy = {
  shadow: { sample: '25%', requests: 10 },
  steps: [
    { weight: '5%', requests: 10 },
    { weight: '50%', requests: 10 },
  ],
}

/** A model with so many versions and an endpoint of an environment that bear its name. */
async function prepare(model: string, versions: number, environment = model): Promise<string[]> {
  await run(putModel, { model, spec: { owner: 'team', tier: 3, task: 'regression' } })
  const refs: string[] = []
  for (let n = 1; n <= versions; n++) {
    const metrics = { n }
    refs.push((await run(registerVersion, { model, artifact, signature, features: ['a', 'b'], metrics })).ref)
  }
  await run(putEndpoint, { environment, endpoint: model, spec: { model, strategy } })
  return refs
}

/** The plan that nodes of an environment would fetch now. */
async function planOf(environment: string): Promise<ServingPlan> {
  const { rows } = await platform.read(workspace, (db) =>
    sql<{ payload: string }>`select payload from releases.plan where environment = ${environment}`.execute(db),
  )
  return ServingPlan.parse(JSON.parse(rows[0]?.payload ?? '{}'))
}

type Shares = { version: string; variant: string; weight: number }[]

const bare = (shares: readonly Shares[number][]): Shares =>
  shares.map(({ version, variant, weight }) => ({ version, variant, weight }))

/** What a plan tells nodes to answer an endpoint with. */
function sharesIn(plan: ServingPlan, endpoint: string): Shares {
  const served = plan.endpoints.find((one) => one.endpoint === endpoint)
  return [
    ...bare(served?.routes ?? []),
    ...(served?.shadows ?? []).map(({ version, sample }) => ({ version, variant: 'shadow', weight: sample })),
  ]
}

/** The clock has gone on by a millisecond, so that what comes has another time than what was. */
const tick = async () => {
  const now = Date.now()
  await vi.waitUntil(() => Date.now() > now, { interval: 1 })
}

describe('what served at an instant', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('start' as const), version: fc.nat(3) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('roll back' as const) }) },
    // Another endpoint of the environment: the plan gets a new generation, in which this one is as it was.
    { weight: 1, arbitrary: fc.record({ do: fc.constant('other' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('report' as const), node: fc.nat(1), behind: fc.nat(2) }) },
  )

  test('is what the plans of that time said, for the control plane and for every node, whatever happened', async () => {
    let runs = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 8, maxLength: 24 }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        async (steps, random) => {
          runs += 1
          const name = `any-${runs}`
          const on = { environment: name, endpoint: name }
          const refs = await prepare(name, 4)
          await prepare(`${name}-other`, 1, name)
          const plans = [await planOf(name)]
          const heard = new Map<string, number>()
          // What is true from a moment on; nothing before the first release.
          const truth: { from: number; until: number; shares: Shares; heard: Map<string, number> }[] = []
          const look = async () => {
            const plan = await planOf(name)
            if (plan.generation !== plans.at(-1)?.generation) plans.push(plan)
            await tick()
            const from = Date.now()
            await tick()
            truth.push({ from, until: Date.now() - 1, shares: sharesIn(plan, name), heard: new Map(heard) })
          }
          await look()
          let release = ''
          for (const one of steps) {
            // Many steps make no sense where they come: what is refused changes nothing.
            if (one.do === 'start') {
              const started = run(startRelease, { ...on, version: refs[one.version] ?? '' })
              await started.then(({ id }) => (release = id)).catch(() => undefined)
            } else if (one.do === 'advance') {
              if (release !== '') await run(advanceRelease, { release }).catch(() => undefined)
            } else if (one.do === 'roll back') {
              await run(rollbackRelease, { ...on, reason: 'worse' }).catch(() => undefined)
            } else if (one.do === 'other') {
              const spec = {
                model: `${name}-other`,
                description: String(truth.length),
                fallback: { value: truth.length },
              }
              await run(putEndpoint, { environment: name, endpoint: `${name}-other`, spec })
            } else {
              const node = `${name}-node-${one.node}`
              const plan = plans.at(-1 - one.behind) ?? plans[0]
              const generation = Math.max(heard.get(node) ?? 0, plan?.generation ?? 0)
              await run(reportNodeStatus, { node, environment: name, generation })
              heard.set(node, generation)
            }
            await look()
          }
          for (const { from, until, shares, heard: then } of truth) {
            const at = from + Math.floor((random.next().value ?? 0) * (until - from + 1))
            const said = await run(whatServed, { ...on, at: new Date(at).toISOString() })
            expect(bare(said.decided?.traffic ?? [])).toEqual(shares)
            const nodes = new Map(said.nodes.map(({ node, generation, traffic }) => [node, { generation, traffic }]))
            expect([...nodes.keys()].sort()).toEqual([...then.keys()].sort())
            for (const [node, generation] of then) {
              const plan = plans.findLast((one) => one.generation <= generation)
              expect(nodes.get(node)?.generation).toBe(generation)
              expect(bare(nodes.get(node)?.traffic ?? [])).toEqual(plan === undefined ? [] : sharesIn(plan, name))
            }
          }

          // The timeline tells the same changes once, without a gap, and each version's own times agree with it.
          const { items } = await run(listServedSpans, { ...on, limit: 200 })
          const spans = items.toReversed()
          for (const [index, span] of spans.entries()) expect(span.until).toBe(spans[index + 1]?.from ?? null)
          const { items: times } = await run(whenServed, { model: name, limit: 200 })
          for (const { from, traffic } of spans) {
            const there = times.filter(
              (time) =>
                Date.parse(time.from) <= Date.parse(from) &&
                (time.until === null || Date.parse(time.until) > Date.parse(from)),
            )
            expect(new Set(bare(there).map((share) => JSON.stringify(share)))).toEqual(
              new Set(bare(traffic).map((share) => JSON.stringify(share))),
            )
          }
        },
      ),
      { numRuns: 4 },
    )
  }, 60_000)

  test('names who started and approved the release, and the entries that say so', async () => {
    const [first = ''] = await prepare('approved', 1)
    const check = { name: 'any', check: 'version.metrics.n > 0', message: 'none' }
    const appliesTo = { models: ['approved'] }
    await run(putPolicy, { policy: 'approved', spec: { appliesTo, rules: [check], approvals: [{ tiers: [3] }] } })
    const on = { environment: 'approved', endpoint: 'approved' }
    const ada = await suite.as('ada', 'operator')
    const grace = await suite.as('grace', 'approver')
    expect(await run(whatServed, on)).toMatchObject({ decided: null, nodes: [], agreed: false })
    const asked = run(startRelease, { ...on, version: first, note: 'the first' }, { as: ada })
    await expect(asked).rejects.toMatchObject({ code: 'approval_required' })
    const [pending] = (await run(listPendingOperations, {})).items
    const { job } = await run(approve, { pending: pending?.id ?? '' }, { as: grace })
    await suite.finished(job ?? '')
    const { decided } = await run(whatServed, on)
    expect(decided).toMatchObject({
      change: 'started',
      byName: 'ada',
      reason: 'the first',
      until: null,
      traffic: [{ version: first, variant: 'primary', weight: 10_000 }],
      releases: [{ startedByName: 'ada', note: 'the first', approvals: [{ byName: 'grace' }] }],
    })
    expect(await run(getEntry, { entry: decided?.entry ?? '' })).toMatchObject({
      operation: 'start-release',
      actor: { id: ada.id },
      facts: { generation: decided?.generation, plan: decided?.plan },
    })
    const [approval] = decided?.releases[0]?.approvals ?? []
    expect(await run(getEntry, { entry: approval?.entry ?? '' })).toMatchObject({
      operation: 'approve',
      actor: { id: grace.id },
    })
  })

  test('tells what was decided from what a node had taken, and what a node was made to answer', async () => {
    const [first = '', second = ''] = await prepare('apart', 2)
    const on = { environment: 'apart', endpoint: 'apart' }
    await run(startRelease, { ...on, version: first })
    const { generation } = await planOf('apart')
    await run(reportNodeStatus, { node: 'quick', environment: 'apart', generation })
    await run(reportNodeStatus, { node: 'slow', environment: 'apart', generation })
    expect(await run(whatServed, on)).toMatchObject({ agreed: true })
    const release = await run(startRelease, { ...on, version: second })
    await run(advanceRelease, { release: release.id })
    const newest = (await planOf('apart')).generation
    await run(reportNodeStatus, { node: 'quick', environment: 'apart', generation: newest })
    await tick()
    const at = new Date().toISOString()
    await tick()
    const early = await run(whatServed, { ...on, at })
    expect(early.agreed).toBe(false)
    expect(early.nodes).toMatchObject([
      { node: 'quick', taken: true, takenAt: null, traffic: [{ weight: 9500 }, { version: second, weight: 500 }] },
      { node: 'slow', taken: false, takenAt: null, traffic: [{ version: first, weight: 10_000 }] },
    ])
    const overrides = [{ endpoint: 'apart', version: first, reason: 'by hand' }]
    await run(reportNodeStatus, { node: 'slow', environment: 'apart', generation: newest, overrides })
    // The past does not change, but it is known by now when the slow node came after.
    const again = await run(whatServed, { ...on, at })
    expect(again.nodes[1]).toMatchObject({ node: 'slow', taken: false, takenAt: expect.any(String) })
    expect(await run(whatServed, on)).toMatchObject({
      agreed: false,
      nodes: [{ override: null }, { taken: true, override: { version: first, reason: 'by hand' } }],
    })
    const { items } = await run(listServedSpans, { ...on, limit: 1 })
    expect(items).toMatchObject([{ change: 'advanced', taken: { nodes: 2 } }])
  })

  test('is told page by page, and between two instants', async () => {
    const refs = await prepare('paged', 3)
    const on = { environment: 'paged', endpoint: 'paged' }
    for (const version of refs) {
      const { id } = await run(startRelease, { ...on, version })
      for (let n = 0; n < 3; n++) await run(advanceRelease, { release: id }).catch(() => undefined)
    }
    const all = await run(listServedSpans, on)
    expect(all.items.map((span) => span.change)).toEqual([
      ...['advanced', 'advanced', 'advanced', 'started'],
      ...['advanced', 'advanced', 'advanced', 'started'],
      'started',
    ])
    const seen: string[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await run(listServedSpans, { ...on, limit: 2, ...(cursor !== undefined && { cursor }) })
      seen.push(...page.items.map((span) => span.entry))
      if (page.nextCursor === null) break
      cursor = page.nextCursor
    }
    expect(seen).toEqual(all.items.map((span) => span.entry))
    const middle = all.items[4]
    const between = await run(listServedSpans, { ...on, from: middle?.from, until: middle?.until ?? undefined })
    expect(between.items.map((span) => span.entry)).toEqual([middle?.entry])
    const { items: second } = await run(whenServed, { model: 'paged', version: 2 })
    // In shadow, in two steps, whole, and less while the third is tried.
    expect(bare(second).map(({ variant, weight }) => `${variant} ${weight}`)).toEqual([
      'primary 5000',
      'primary 9500',
      'primary 10000',
      'canary 5000',
      'canary 500',
      'shadow 2500',
    ])
    const at = second[2]?.from
    const { items: then } = await run(whenServed, {
      model: 'paged',
      environment: 'paged',
      ...(at !== undefined && { at }),
    })
    expect(then).toMatchObject([{ version: 'paged@2', variant: 'primary', weight: 10_000, endpoint: 'paged' }])
  })
})
