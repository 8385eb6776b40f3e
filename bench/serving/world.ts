import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onlineKey } from '#algorithms/windowed-aggregation/online-key.ts'
import { planAggregations } from '#algorithms/windowed-aggregation/plan.ts'
import { readFeatures } from '#algorithms/windowed-aggregation/read-features.ts'
import { applyEvents, emptyState, encodeState } from '#algorithms/windowed-aggregation/state.ts'
import type { ServedEndpoint, ServedView, ServingPlan } from '#modules/releases/contract.ts'
import { openOnlineStore } from '#platform/storage/online/open-online-store.ts'
import { defaultBoosting, seededRandom, trainBoostedTrees } from '../../examples/flight-delays/steps/boosted-trees.ts'
import { signature, writeOnnx } from '../../examples/flight-delays/steps/write-onnx.ts'

const workspace = '018f0000-0000-7000-8000-00000000be4c'
export const token = 'pave_bench_token'
/** Of every request, so that the peer may look up values where Pave works them out for the moment asked about. */
const asked = '2001-03-11T12:00:00Z'
const [minute, hour, day] = [60_000, 3_600_000, 86_400_000]
const airports = Array.from({ length: 60 }, (_, index) => `A${String(index).padStart(2, '0')}`)

const view = (name: string, entityFields: string[], features: Record<string, string>): ServedView => ({
  view: name,
  definition: `sha256:${createHash('sha256').update(name).digest('hex')}`,
  entityFields,
  aggregations: aggregations[name] ?? [],
  features: Object.entries(features).map(([feature, aggregation]) => ({ name: feature, aggregation })),
})

const mean = (name: string, window: number, hop: number) =>
  ({ name, function: 'mean', column: 'late', window, hop }) as const

const aggregations: Record<string, ServedView['aggregations']> = {
  departures: [
    mean('late_rate_3h', 3 * hour, 5 * minute),
    { name: 'flights_24h', function: 'count', window: day, hop: hour },
  ],
  arrivals: [mean('late_rate_1h', hour, 5 * minute), mean('late_rate_3h', 3 * hour, 5 * minute)],
  routes: [mean('late_rate_24h', day, hour), mean('late_rate_7d', 7 * day, hour)],
}

/** The endpoint of examples/flight-delays: four look-ups, eight of eleven features aggregated over windows. */
const endpoint: ServedEndpoint = {
  workspace,
  environment: 'prod',
  endpoint: 'flight-delays',
  release: null,
  routes: [{ variant: 'primary', version: 'flight-delays@1', weight: 10_000 }],
  shadows: [],
  salt: 'salt',
  targetingField: null,
  request: [
    { name: 'origin', type: 'string' },
    { name: 'destination', type: 'string' },
    { name: 'date', type: 'timestamp' },
    { name: 'distance', type: 'int' },
  ],
  timestampField: 'date',
  views: [
    view('departures', ['origin'], { origin_late_rate_3h: 'late_rate_3h', origin_flights_24h: 'flights_24h' }),
    view('arrivals', ['origin'], { inbound_late_rate_1h: 'late_rate_1h', inbound_late_rate_3h: 'late_rate_3h' }),
    view('arrivals', ['destination'], {
      destination_late_rate_1h: 'late_rate_1h',
      destination_late_rate_3h: 'late_rate_3h',
    }),
    view('routes', ['origin', 'destination'], {
      route_late_rate_24h: 'late_rate_24h',
      route_late_rate_7d: 'late_rate_7d',
    }),
  ],
  onDemand: [
    { name: 'minute_of_day', type: 'int', expression: 'date.getHours() * 60 + date.getMinutes()' },
    { name: 'weekday', type: 'int', expression: 'date.getDayOfWeek()' },
    { name: 'distance', type: 'double', expression: 'double(distance)' },
  ],
  fallback: null,
  limits: { timeoutMs: 10_000, queue: 1000, rows: 64 },
}

export const features = [
  ...['origin_late_rate_3h', 'inbound_late_rate_1h', 'inbound_late_rate_3h', 'destination_late_rate_1h'],
  ...['destination_late_rate_3h', 'route_late_rate_24h', 'route_late_rate_7d', 'origin_flights_24h'],
  ...['minute_of_day', 'weekday', 'distance'],
]

export function servingPlan(artifact: string): ServingPlan {
  const hash = createHash('sha256').update(token).digest('hex')
  return {
    format: 1,
    generation: 1,
    issuedAt: '2001-01-01T00:00:00Z',
    environment: 'prod',
    keys: [{ id: 'bench', workspace, hash, endpoints: ['*'], expiresAt: null }],
    endpoints: [endpoint],
    versions: [
      {
        ref: 'flight-delays@1',
        workspace,
        model: 'flight-delays',
        version: 1,
        artifact,
        signature: signature(features.length),
        features,
        output: 'probability',
      },
    ],
  }
}

/** 80 trees of up to 64 leaves, as the example's. */
export function trainModel(): Uint8Array {
  const random = seededRandom(1)
  const rows = 20_000
  const values = Float32Array.from({ length: rows * features.length }, (_, index) => {
    const column = index % features.length
    return column < 7 ? random() : Math.floor(random() * (column === 8 ? 1440 : column === 9 ? 7 : 2000))
  })
  const labels = Uint8Array.from({ length: rows }, (_, row) => {
    const [first = 0, second = 0] = values.subarray(row * features.length)
    return random() < first * second ? 1 : 0
  })
  const options = { ...defaultBoosting, trees: 80 }
  return writeOnnx(trainBoostedTrees({ featureNames: features, rows, values, labels }, options), 'flight-delays')
}

/** A week of events for every airport and route, in Pave's online store; answers the peer's values by its keys. */
export async function writeFeatures(onlineUrl: string): Promise<Record<string, (number | null)[]>> {
  const random = seededRandom(2)
  const at = Date.parse(asked)
  const online = await openOnlineStore(onlineUrl)
  const values: Record<string, (number | null)[]> = {}
  const routes = airports.flatMap((origin) => airports.map((destination) => [origin, destination]))
  const entities = { departures: airports.map((one) => [one]), arrivals: airports.map((one) => [one]), routes }
  try {
    for (const [name, keys] of Object.entries(entities)) {
      const { definition } = view(name, [], {})
      const plan = planAggregations(aggregations[name] ?? [])
      const puts = keys.map((key) => {
        const events = Array.from({ length: name === 'routes' ? 80 : 400 }, () => ({
          at: at - Math.floor(random() * 7 * day),
          values: [random() < 0.2 ? 1 : 0],
        })).sort((a, b) => a.at - b.at)
        const bytes = encodeState(applyEvents(emptyState(plan), plan, events).state, plan)
        values[`${name}/${key.join('/')}`] = readFeatures(bytes, plan, at)
        return { key: onlineKey(workspace, name, definition, key), value: bytes }
      })
      for (let from = 0; from < puts.length; from += 500)
        await online.writeBatch({ puts: puts.slice(from, from + 500) })
    }
  } finally {
    await online.close()
  }
  return values
}

/** Complete HTTP requests for flights on all routes. */
export async function writeRequests(directory: string, count: number): Promise<{ file: string; requests: string[] }> {
  const random = seededRandom(3)
  const pick = () => airports[Math.floor(random() * airports.length)] ?? ''
  const requests = Array.from({ length: count }, (_, index) => {
    const inputs = [
      { name: 'origin', shape: [1], datatype: 'BYTES', data: [pick()] },
      { name: 'destination', shape: [1], datatype: 'BYTES', data: [pick()] },
      { name: 'date', shape: [1], datatype: 'BYTES', data: [asked] },
      { name: 'distance', shape: [1], datatype: 'INT64', data: [100 + Math.floor(random() * 2500)] },
    ]
    const body = JSON.stringify({ id: `request-${index}`, inputs })
    return [
      'POST /v2/models/flight-delays/infer HTTP/1.1',
      'host: 127.0.0.1',
      `authorization: Bearer ${token}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n')
  })
  const file = join(directory, 'requests.json')
  await writeFile(file, JSON.stringify(requests))
  return { file, requests }
}
