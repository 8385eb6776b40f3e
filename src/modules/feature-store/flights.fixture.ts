import { createReadStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { ingestDataset, putDataset } from '#modules/datasets/contract.ts'
import { recordObject } from '#platform/kernel/contract.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { datasets } from '../datasets/module.ts'
import { identity } from '../identity/module.ts'
import { putEntity, putFeatureService, putFeatureView } from './contract.ts'
import { featureStore } from './module.ts'

const flights = fileURLToPath(new URL('../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url))

/** What flight events are made of, and what follows from it. */
const flightsContract = {
  timeColumn: 'date',
  columns: {
    date: { type: 'timestamp' },
    delay: { type: 'int' },
    distance: { type: 'int' },
    origin: { type: 'string' },
    destination: { type: 'string' },
  },
  rules: [{ name: 'possible-delay', check: 'delay >= -120' }],
  unique: {},
  derived: {
    known_at: { type: 'timestamp', expression: 'date + duration("30m") + hours(double(distance) / 450.0)' },
    late: { type: 'bool', expression: 'delay > 15' },
  },
} as const

export function startFeatureStore(): Promise<TestPlatform> {
  return createTestPlatform({ modules: [identity, datasets, featureStore] })
}

/** Declares the flights, from the real file or from the rows of a SELECT, with views by airport and route and a service. */
export async function declareFlights(test: TestPlatform, select?: string): Promise<void> {
  const { objects, analytics, config } = test.platform.services
  let path = flights
  if (select !== undefined) {
    path = `${config.dataDir}/scratch/${test.platform.ids.next()}.parquet`
    await analytics.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`)
  }
  const source = await objects.put(createReadStream(path))
  await test.run(recordObject, source)
  await test.run(putDataset, {
    dataset: 'flights',
    spec: { ...structuredClone(flightsContract), rules: [...flightsContract.rules], source },
  })
  await test.run(putEntity, { entity: 'airport', spec: { joinKeys: [{ name: 'airport', type: 'string' }] } })
  const joinKeys = ['origin', 'destination'].map((name) => ({ name, type: 'string' as const }))
  await test.run(putEntity, { entity: 'route', spec: { joinKeys } })

  const common = { dataset: 'flights', timestamp: 'known_at' }
  await test.run(putFeatureView, {
    view: 'departures',
    spec: {
      ...common,
      entity: 'airport',
      keys: { airport: 'origin' },
      aggregations: [
        { name: 'late_3h', function: 'mean', column: 'late', window: '3h' },
        { name: 'flights_24h', function: 'count', window: '24h' },
      ],
    },
  })
  await test.run(putFeatureView, {
    view: 'arrivals',
    spec: {
      ...common,
      entity: 'airport',
      keys: { airport: 'destination' },
      aggregations: [
        { name: 'late_1h', function: 'mean', column: 'late', window: '1h' },
        { name: 'worst_1h', function: 'max', column: 'delay', window: '1h' },
      ],
    },
  })
  await test.run(putFeatureView, {
    view: 'routes',
    spec: {
      ...common,
      entity: 'route',
      keys: { origin: 'origin', destination: 'destination' },
      aggregations: [{ name: 'late_7d', function: 'mean', column: 'late', window: '7d' }],
    },
  })
  await test.run(putFeatureService, {
    featureService: 'delays',
    spec: {
      request: [
        { name: 'date', type: 'timestamp' },
        { name: 'origin', type: 'string' },
        { name: 'destination', type: 'string' },
        { name: 'distance', type: 'int' },
      ],
      timestampField: 'date',
      features: [
        { view: 'departures', keys: { airport: 'origin' }, features: { left_late: 'late_3h', left: 'flights_24h' } },
        { view: 'arrivals', keys: { airport: 'origin' }, features: { inbound_late: 'late_1h' } },
        {
          view: 'arrivals',
          keys: { airport: 'destination' },
          features: { came_late: 'late_1h', came_worst: 'worst_1h' },
        },
        { view: 'routes', keys: { origin: 'origin', destination: 'destination' }, features: { route_late: 'late_7d' } },
      ],
      onDemand: [
        { name: 'minute', expression: 'date.getHours() * 60 + date.getMinutes()', type: 'int' },
        { name: 'distance', expression: 'double(distance)', type: 'double' },
      ],
    },
  })
}

const Ingested = z.object({ ref: z.string(), digest: z.string() })

export async function ingestFlights(test: TestPlatform, range: { from?: string; to?: string } = {}) {
  const { job } = await test.run(ingestDataset, { dataset: 'flights', ...range })
  return Ingested.parse(await test.finished(job))
}
