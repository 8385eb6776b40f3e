import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { putDataset } from '#modules/datasets/contract.ts'
import { datasetSpec } from '#modules/datasets/queries.ts'
import { systemActor } from '#platform/actor.ts'
import type { TestPlatform } from '#testing/platform.ts'
import {
  type FeatureServiceSpec,
  type FeatureViewSpec,
  getFeatureService,
  getFeatureView,
  listEntities,
  listFeatureServices,
  listFeatureViews,
  putEntity,
  putFeatureService,
  putFeatureView,
} from './contract.ts'
import { declareFlights, startFeatureStore } from './flights.fixture.ts'
import { compiledService } from './queries.ts'

let test: TestPlatform
let viewSpec: z.input<typeof FeatureViewSpec>
let serviceSpec: z.input<typeof FeatureServiceSpec>

beforeAll(async () => {
  test = await startFeatureStore()
  await declareFlights(
    test,
    `SELECT TIMESTAMP '2001-01-01' AS "date", 1 AS delay, 450 AS distance, 'A' AS origin, 'B' AS destination`,
  )
  viewSpec = (await test.run(getFeatureView, { view: 'departures' })).spec
  serviceSpec = (await test.run(getFeatureService, { featureService: 'delays' })).spec
}, 60_000)
afterAll(() => test.drop())

describe('putting a feature view', () => {
  const put = (change: Partial<z.input<typeof FeatureViewSpec>>) =>
    test.run(putFeatureView, { view: 'departures', spec: { ...viewSpec, ...change } })

  it('makes a version of each definition, and none of the same one', async () => {
    const first = await put({})
    expect(first).toMatchObject({ version: 1, definition: expect.stringMatching(/^sha256:/) })
    expect(await put({ description: 'Flights that left' })).toMatchObject({ version: 1, definition: first.definition })
    const [late] = viewSpec.aggregations
    const second = await put({ aggregations: late === undefined ? [] : [{ ...late, window: '6h' }] })
    expect(second.version).toBe(2)
    expect(second.definition).not.toBe(first.definition)
    expect(await put({})).toMatchObject({ version: 3, definition: first.definition })
  })

  it('means something else once a formula that it reads has changed', async () => {
    const { definition } = await put({})
    const spec = await test.platform.read(test.workspace, (db) => datasetSpec(db, 'flights'))
    const stricter = { ...spec.derived, late: { type: 'bool' as const, expression: 'delay > 30' } }
    await test.run(putDataset, { dataset: 'flights', spec: { ...spec, derived: stricter } })
    expect((await test.run(getFeatureView, { view: 'departures' })).definition).not.toBe(definition)
    await test.run(putDataset, { dataset: 'flights', spec })
    expect((await test.run(getFeatureView, { view: 'departures' })).definition).toBe(definition)
  })

  it.each<[string, Partial<z.input<typeof FeatureViewSpec>>, RegExp]>([
    ['a column that the dataset lacks', { timestamp: 'landed_at' }, /flights has no column landed_at/],
    ['a timestamp that is none', { timestamp: 'delay' }, /timestamp: delay is int/],
    ['a join key without a column', { keys: {} }, /no column is given for the join key airport/],
    ['a key of another type', { keys: { airport: 'delay' } }, /airport is string, but delay is int/],
    ['an unknown join key', { keys: { airport: 'origin', gate: 'origin' } }, /no join key gate/],
    [
      'text to average',
      { aggregations: [{ name: 'x', function: 'mean', column: 'origin', window: '1h' }] },
      /x: origin is string/,
    ],
    [
      'a window that no hops fill',
      { aggregations: [{ name: 'x', function: 'count', window: '1h', hop: '7m' }] },
      /not a multiple/,
    ],
  ])('refuses %s', async (_, change, message) => {
    await expect(put(change)).rejects.toMatchObject({
      code: 'definition_invalid',
      message: expect.stringMatching(message),
    })
  })

  it('needs its entity, whose keys then stay', async () => {
    await expect(put({ entity: 'gate' })).rejects.toMatchObject({ code: 'entity_not_found' })
    await expect(
      test.run(putEntity, { entity: 'airport', spec: { joinKeys: [{ name: 'code', type: 'string' }] } }),
    ).rejects.toMatchObject({ code: 'definition_invalid', message: expect.stringContaining('arrivals, departures') })
  })
})

describe('putting a feature service', () => {
  const put = (change: Partial<z.input<typeof FeatureServiceSpec>>) =>
    test.run(putFeatureService, { featureService: 'delays', spec: { ...serviceSpec, ...change } })

  it('keeps the order of the features; the same one again changes nothing', async () => {
    const first = await put({})
    expect(first.features).toEqual([
      'left_late',
      'left',
      'inbound_late',
      'came_late',
      'came_worst',
      'route_late',
      'minute',
      'distance',
    ])
    expect(await put({})).toEqual(first)
    const order = first.features.toReversed()
    expect((await put({ order })).features).toEqual(order)
    expect((await test.run(getFeatureService, { featureService: 'delays' })).features).toEqual(order)
    await put({})
  })

  it('compiles to what a serving plan needs', async () => {
    const compiled = await test.platform.read(test.workspace, (db) => compiledService(db, 'delays'))
    expect(compiled).toMatchObject({
      timestampField: 'date',
      request: serviceSpec.request,
      onDemand: serviceSpec.onDemand,
    })
    expect(compiled.views.map(({ view, entityFields, features }) => ({ view, entityFields, features }))).toEqual([
      {
        view: 'departures',
        entityFields: ['origin'],
        features: [
          { name: 'left_late', aggregation: 'late_3h' },
          { name: 'left', aggregation: 'flights_24h' },
        ],
      },
      { view: 'arrivals', entityFields: ['origin'], features: [{ name: 'inbound_late', aggregation: 'late_1h' }] },
      {
        view: 'arrivals',
        entityFields: ['destination'],
        features: [
          { name: 'came_late', aggregation: 'late_1h' },
          { name: 'came_worst', aggregation: 'worst_1h' },
        ],
      },
      {
        view: 'routes',
        entityFields: ['origin', 'destination'],
        features: [{ name: 'route_late', aggregation: 'late_7d' }],
      },
    ])
    expect(compiled.views[0]?.aggregations).toEqual([
      { name: 'late_3h', function: 'mean', column: 'late', window: 10_800_000, hop: 300_000 },
      { name: 'flights_24h', function: 'count', window: 86_400_000, hop: 3_600_000 },
    ])
  })

  it.each<[string, Partial<z.input<typeof FeatureServiceSpec>>, object]>([
    [
      'an unknown view',
      { features: [{ view: 'gates', keys: {}, features: { x: 'y' } }] },
      { code: 'feature_view_not_found' },
    ],
    [
      'an unknown aggregation',
      { features: [{ view: 'departures', keys: { airport: 'origin' }, features: { x: 'late_9h' } }] },
      { code: 'definition_invalid', message: expect.stringContaining('no aggregation late_9h') },
    ],
    [
      'a key of another type',
      { features: [{ view: 'departures', keys: { airport: 'distance' }, features: { x: 'late_3h' } }] },
      { code: 'definition_invalid', message: expect.stringContaining('distance is no request field of type string') },
    ],
    ['a timestamp that is none', { timestampField: 'origin' }, { code: 'definition_invalid' }],
    [
      'an order with a gap',
      { order: ['left'] },
      { code: 'definition_invalid', message: expect.stringContaining('order leaves out left_late') },
    ],
    [
      'a feature declared twice',
      { onDemand: [{ name: 'left', expression: '1', type: 'int' }] },
      { code: 'definition_invalid' },
    ],
    [
      'an expression of the wrong type',
      { onDemand: [{ name: 'x', expression: 'origin', type: 'int' }] },
      { code: 'expression_invalid', message: expect.stringContaining('The on-demand feature x') },
    ],
  ])('refuses %s', async (_, change, error) => {
    await expect(put(change)).rejects.toMatchObject(error)
  })

  it('shows another workspace nothing', async () => {
    const as = systemActor(test.platform.ids.next())
    for (const list of [listEntities, listFeatureViews, listFeatureServices]) {
      expect((await test.run(list, {})).items.length).toBeGreaterThan(0)
      expect((await test.run(list, {}, { as })).items).toEqual([])
    }
  })
})
