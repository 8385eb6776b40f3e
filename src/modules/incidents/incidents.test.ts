import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { identity } from '#modules/identity/module.ts'
import { putMonitor, raiseFinding } from '#modules/monitoring/contract.ts'
import { monitoring } from '#modules/monitoring/module.ts'
import { predictions } from '#modules/predictions/module.ts'
import { systemActor } from '#platform/actor.ts'
import { handle } from '#platform/context.ts'
import { listEntries } from '#platform/kernel/contract.ts'
import { defineModule } from '#platform/module.ts'
import { operation } from '#platform/operation.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { until } from '#testing/until.ts'
import {
  commentIncident,
  getIncident,
  listIncidents,
  mitigateIncident,
  openIncident,
  resolveIncident,
} from './contract.ts'
import { incidents } from './module.ts'

const release = '01900000-0000-7000-8000-00000000000a'

/** Leaves the entry that a rollback leaves. */
const rollback = operation({
  name: 'rollback-release',
  method: 'POST',
  path: '/api/v1/rollback',
  summary: 'Roll back',
  effect: 'write',
  permission: { verb: 'release:rollback', on: [] },
  errors: [],
  input: z.object({ release: z.uuid(), automatic: z.boolean() }),
  output: z.object({}),
})

const releases = defineModule({
  name: 'releases',
  handlers: [
    handle(rollback, async (ctx, { release, automatic }) => {
      ctx.entry.subject('release', release)
      ctx.entry.facts({
        release,
        endpoint: 'prod/flight-delays',
        version: 'flight-delays@2',
        toVersion: 'flight-delays@1',
        reason: 'inputShift of distance is 0.385, the limit is 0.15',
        automatic,
      })
      return {}
    }),
  ],
})

let test: TestPlatform

beforeAll(async () => {
  test = await createTestPlatform({ modules: [identity, predictions, monitoring, releases, incidents] })
})
afterAll(() => test.drop())

it('opens one incident for an automatic rollback, with a timeline, until it is resolved', async () => {
  await test.run(rollback, { release: '01900000-0000-7000-8000-00000000000b', automatic: false })
  await test.run(rollback, { release, automatic: true })
  await test.run(rollback, { release, automatic: true })
  await until(test, async () => {
    const { items } = await test.run(listEntries, { operation: 'open-incident' })
    return items.length === 2 ? true : undefined
  })
  const { items } = await test.run(listIncidents, {})
  expect(items).toMatchObject([
    {
      incident: 'INC-1',
      severity: 'high',
      state: 'open',
      endpoint: 'flight-delays',
      cause: { kind: 'release', id: release },
      title: expect.stringContaining('0.385'),
    },
  ])

  const olga = await test.as('olga', 'operator')
  await test.run(commentIncident, { incident: 'INC-1', text: 'The unit was wrong.' }, { as: olga })
  const resolved = await test.run(resolveIncident, { incident: 'INC-1', resolution: 'Trained on miles.' }, { as: olga })
  expect(resolved.state).toBe('resolved')
  await expect(test.run(resolveIncident, { incident: 'INC-1', resolution: 'Again.' })).rejects.toMatchObject({
    code: 'incident_resolved',
  })
  const { timeline } = await test.run(getIncident, { incident: 'INC-1' })
  const told = timeline.map(({ what }) => what)
  expect(told[0]).toBe('rollback-release')
  expect(told).toEqual(expect.arrayContaining(['open-incident', 'comment', 'resolve-incident']))
  expect(timeline.find(({ what }) => what === 'comment')).toMatchObject({
    comment: 'The unit was wrong.',
    actorName: 'olga',
  })
  const closing = timeline.find(({ what }) => what === 'resolve-incident')
  expect(closing?.facts).toMatchObject({ secondsToMitigate: 0, secondsToResolve: expect.any(Number) })
  expect(JSON.stringify(closing)).not.toContain('miles')
})

it('opens one for a grave finding and none for a light one', async () => {
  const watched = { environment: 'prod', monitor: 'quality' }
  await test.run(putMonitor, { ...watched, spec: { endpoint: 'flight-delays', performance: { minimum: 0.7 } } })
  const found = {
    ...watched,
    version: 'flight-delays@1',
    threshold: 0.7,
    since: '2001-04-01T00:00:00Z',
    at: '2001-04-02T00:00:00Z',
  }
  await test.run(raiseFinding, { ...found, kind: 'drift', feature: 'distance', value: 0.75 })
  const { finding } = await test.run(raiseFinding, { ...found, kind: 'performance', feature: null, value: 0.61 })
  await test.run(raiseFinding, { ...found, kind: 'performance', feature: null, value: 0.6 })
  const ofFindings = await until(test, async () => {
    const { items } = await test.run(listEntries, {
      operation: 'open-incident',
      subject: 'endpoint:prod/flight-delays',
    })
    const { items: incidents } = await test.run(listIncidents, {})
    const seen = incidents.filter(({ cause }) => cause.kind === 'finding')
    return seen.length > 0 && items.length > 0 ? seen : undefined
  })
  expect(ofFindings).toMatchObject([{ incident: 'INC-2', cause: { kind: 'finding', id: finding } }])
  expect(ofFindings[0]?.title).toBe('performance on prod/flight-delays is 0.610, the limit is 0.700')
})

it('is mitigated by whoever rolls its endpoint back, once', async () => {
  const unmitigated = await test.run(openIncident, {
    title: 'Answers look odd <b>everywhere</b>',
    severity: 'medium',
    environment: 'prod',
    endpoint: 'flight-delays',
    cause: { kind: 'endpoint', id: 'prod/flight-delays' },
  })
  expect(unmitigated.mitigatedAt).toBeNull()
  await test.run(rollback, { release: '01900000-0000-7000-8000-00000000000c', automatic: false })
  const { incident } = unmitigated
  const mitigated = await until(test, async () => {
    const seen = await test.run(getIncident, { incident })
    return seen.mitigatedAt === null ? undefined : seen
  })
  expect(mitigated.state).toBe('open')
  const told = await until(test, async () => {
    const { timeline } = await test.run(getIncident, { incident })
    return timeline.find(({ what }) => what === 'mitigate-incident')
  })
  expect(told.facts).toMatchObject({ how: 'flight-delays@2 was rolled back to flight-delays@1' })
  const again = await test.run(mitigateIncident, { incident, how: 'by hand' })
  expect(again.mitigatedAt).toBe(mitigated.mitigatedAt)
})

it('is found by state, severity, endpoint, cause and words', async () => {
  const found = async (where: object) => (await test.run(listIncidents, where)).items.map(({ incident }) => incident)
  expect(await found({ severity: 'medium' })).toEqual(['INC-3'])
  expect(await found({ search: '<B>EVERY' })).toEqual(['INC-3'])
  expect(await found({ search: 'inc-1' })).toEqual(['INC-1'])
  expect(await found({ cause: release })).toEqual(['INC-1'])
  expect(await found({ state: 'open', environment: 'prod', endpoint: 'flight-delays' })).toEqual(['INC-3', 'INC-2'])
  expect(await found({ endpoint: 'elsewhere' })).toEqual([])
})

it('is not seen from another workspace, and a viewer opens none', async () => {
  const actor = systemActor(test.platform.ids.next())
  expect(await test.platform.run(listIncidents, { actor, input: {} })).toMatchObject({ items: [] })
  await expect(test.platform.run(getIncident, { actor, input: { incident: 'INC-1' } })).rejects.toMatchObject({
    code: 'incident_not_found',
  })
  const input = { title: 'x', severity: 'low' as const, cause: { kind: 'endpoint', id: 'prod/x' } }
  await expect(test.run(openIncident, input, { as: await test.as('vera', 'viewer') })).rejects.toMatchObject({
    code: 'permission_denied',
  })
})
