import { afterAll, beforeAll, expect, it } from 'vitest'
import { identity } from '#modules/identity/module.ts'
import { startRun } from '#modules/pipelines/contract.ts'
import { type PredictionRecord, recordLabels } from '#modules/predictions/contract.ts'
import { predictions } from '#modules/predictions/module.ts'
import { registry } from '#modules/registry/module.ts'
import { systemActor } from '#platform/actor.ts'
import { handle } from '#platform/context.ts'
import { listEntries } from '#platform/kernel/contract.ts'
import { defineModule } from '#platform/module.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { recordOf, seededRandom, seedVersion, sendChunk } from '#testing/predictions.ts'
import { until } from '#testing/until.ts'
import {
  getFinding,
  getMonitor,
  listEvaluations,
  listFindings,
  listMonitors,
  putMonitor,
  raiseFinding,
} from './contract.ts'
import { monitoring } from './module.ts'

const day = 86_400_000
const start = Date.UTC(2001, 2, 11)
const runs: Array<{ pipeline: string; params: object | undefined }> = []

/** Pipelines that only remember what was started. */
const pipelines = defineModule({
  name: 'pipelines',
  handlers: [
    handle(startRun, async (ctx, { pipeline, params }) => {
      runs.push({ pipeline, params })
      return { run: ctx.ids.next(), job: ctx.ids.next(), pipeline }
    }),
  ],
})

let test: TestPlatform
const random = seededRandom(11)

beforeAll(async () => {
  test = await createTestPlatform({ modules: [identity, registry, pipelines, predictions, monitoring] })
  const column = () => Array.from({ length: 5000 }, random)
  await seedVersion(test, 'flight-delays', { features: { distance: column(), rate: column() }, predictions: column() })
})
afterAll(() => test.drop())

/** A day of traffic; `shift` moves `distance` only. */
async function serveDay(endpoint: string, number: number, shift: number, rows = 300): Promise<PredictionRecord[]> {
  const records = Array.from({ length: rows }, (_, i) => {
    const at = new Date(start + number * day + (i * day) / rows).toISOString()
    const features = { distance: random() + shift, rate: random() }
    return recordOf(test, { endpoint, id: `${endpoint}-${number}-${i}`, at, features, prediction: random() })
  })
  await sendChunk(test, `${endpoint}-${number}`, records)
  return records
}

/** Once the ledger is sealed and this many windows were evaluated. */
async function evaluated(monitor: string, windows: number) {
  return until(test, async () => {
    const { items } = await test.run(listEvaluations, { environment: 'prod', monitor, limit: 200 })
    return items.length >= windows ? items : undefined
  })
}

const base = { window: '1d', every: '1d', minimum: { predictions: 200, labels: 200 } }

it('finds drift in what was shifted, not in small windows of the same distribution, and retrains once in its cooldown', async () => {
  const watched = { environment: 'prod', monitor: 'drift' }
  await test.run(putMonitor, {
    ...watched,
    spec: {
      ...base,
      endpoint: 'drifting',
      drift: { threshold: 0.1 },
      predictionDrift: {},
      retrain: { pipeline: 'train', params: { to: '$'.concat('{watermark}'), trees: 100 }, cooldown: '10d' },
    },
  })
  for (const number of [0, 1, 2]) await serveDay('drifting', number, 0)
  await serveDay('drifting', 3, 0.4)
  await serveDay('drifting', 4, 0.5)
  await serveDay('drifting', 5, 0)

  const evaluations = await evaluated('drift', 5)
  expect(evaluations.map(({ at }) => at.slice(0, 10))).toEqual([
    '2001-03-16',
    '2001-03-15',
    '2001-03-14',
    '2001-03-13',
    '2001-03-12',
  ])
  const breached = evaluations.map(({ metrics }) =>
    metrics.filter((metric) => metric.breached).map(({ feature }) => feature),
  )
  expect(breached).toEqual([['distance'], ['distance'], [], [], []])
  const { items } = await test.run(listFindings, { monitor: 'drift' })
  expect(items).toMatchObject([
    {
      kind: 'drift',
      feature: 'distance',
      state: 'open',
      since: '2001-03-15T00:00:00.000Z',
      lastSeenAt: '2001-03-16T00:00:00.000Z',
      version: 'flight-delays@1',
    },
  ])
  const finding = items[0]?.finding ?? ''
  const retrained = await until(test, async () => {
    const seen = await test.run(getFinding, { finding })
    return seen.run === null ? undefined : seen
  })
  expect(retrained.run).not.toBeNull()

  // Two clear windows resolve it; the next shift is a new finding, within the cooldown.
  for (const number of [6, 7]) await serveDay('drifting', number, 0)
  await until(test, async () => ((await test.run(getFinding, { finding })).state === 'resolved' ? true : undefined))
  for (const number of [8, 9]) await serveDay('drifting', number, 0.4)
  const skipped = await until(test, async () => {
    const { items: entries } = await test.run(listEntries, { operation: 'start-retraining' })
    return entries.length === 2 ? entries : undefined
  })
  expect(skipped[0]?.facts).toMatchObject({ skipped: 'cooldown' })
  expect(runs).toEqual([{ pipeline: 'train', params: { to: '2001-03-15', trees: 100 } }])
  expect((await test.run(getMonitor, watched)).evaluatedAt).toBe('2001-03-20T00:00:00.000Z')

  const listed = await test.run(listMonitors, { search: 'PROD/dri', endpoint: 'drifting' })
  expect(listed.items).toMatchObject([
    { monitor: 'drift', openFindings: 1, evaluation: { at: '2001-03-20T00:00:00.000Z' } },
  ])
  expect((await test.run(listMonitors, { search: 'nothing like it' })).items).toEqual([])
  const ofDistance = await test.run(listEvaluations, { ...watched, kind: 'drift', feature: 'distance', limit: 3 })
  expect(ofDistance.items.map(({ metrics }) => metrics.map(({ feature }) => feature))).toEqual([
    ['distance'],
    ['distance'],
    ['distance'],
  ])
  const found = await test.run(listFindings, { endpoint: 'drifting', feature: 'distance' })
  expect(found.items).toHaveLength(2)
  expect((await test.run(listFindings, { endpoint: 'drifting', feature: 'rate' })).items).toEqual([])
})

it('measures realised performance against the registered metric and says when it fell', async () => {
  await test.run(putMonitor, {
    environment: 'prod',
    monitor: 'quality',
    spec: { ...base, endpoint: 'judged', performance: { maximumDrop: 0.1 }, calibration: { maximum: 0.9 } },
  })
  const records = await serveDay('judged', 0, 0)
  // Labels without any relation to the predictions, against an offline AUC of 0.75.
  const labels = records.map(({ id, at }) => ({ id, at, value: random() < 0.3 ? 1 : 0 }))
  await test.run(recordLabels, { environment: 'prod', endpoint: 'judged', labels })
  await serveDay('judged', 1, 0)
  const [evaluation] = await evaluated('quality', 1)
  expect(evaluation).toMatchObject({ predictions: 300, labelled: 300 })
  expect(evaluation?.metrics).toMatchObject([
    { kind: 'performance', threshold: 0.65, breached: true, rows: 300 },
    { kind: 'calibration', threshold: 0.9, breached: false, rows: 300 },
  ])
  const { items } = await test.run(listFindings, { monitor: 'quality' })
  expect(items).toMatchObject([{ kind: 'performance', feature: null, severity: 'high', state: 'open' }])
})

it('passes over days without traffic and leaves the past alone when it is new', async () => {
  await serveDay('sparse', 0, 0, 10)
  await test.run(putMonitor, {
    environment: 'prod',
    monitor: 'sparse',
    spec: { ...base, endpoint: 'sparse', drift: {} },
  })
  await serveDay('sparse', 40, 0, 10)
  await serveDay('sparse', 41, 0, 10)
  const evaluations = await evaluated('sparse', 2)
  expect(evaluations.map(({ at }) => at.slice(0, 10))).toEqual(['2001-04-21', '2001-03-12'])
  expect(evaluations[0]?.metrics).toMatchObject([{ breached: null }, { breached: null }])
})

it('is put idempotently, and refuses what watches nothing or refers to the unknown', async () => {
  const watched = { environment: 'prod', monitor: 'again' }
  const spec = { ...base, endpoint: 'again', drift: {} }
  const first = await test.run(putMonitor, { ...watched, spec })
  expect(await test.run(putMonitor, { ...watched, spec })).toEqual(first)
  const refused = (change: object) =>
    expect(test.run(putMonitor, { ...watched, spec: { ...spec, ...change } })).rejects.toMatchObject({
      code: 'monitor_invalid',
    })
  await refused({ drift: undefined })
  await refused({ performance: {} })
  await refused({ retrain: { pipeline: 'train', params: { to: '$'.concat('{now}') } } })
  await expect(test.run(putMonitor, { ...watched, spec: { ...spec, every: '90m' } })).rejects.toMatchObject({
    code: 'invalid_input',
  })
})

it('is not seen from another workspace, and only Pave raises findings', async () => {
  const actor = systemActor(test.platform.ids.next())
  expect(await test.platform.run(listFindings, { actor, input: {} })).toMatchObject({ items: [] })
  const operator = await test.as('olga', 'operator')
  const finding = { kind: 'drift' as const, feature: 'distance', version: 'flight-delays@1', value: 1, threshold: 0.1 }
  const since = '2001-03-11T00:00:00Z'
  await expect(
    test.run(raiseFinding, { environment: 'prod', monitor: 'drift', ...finding, since, at: since }, { as: operator }),
  ).rejects.toMatchObject({ code: 'permission_denied' })
})
