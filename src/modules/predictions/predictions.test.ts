import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectedCalibrationError } from '#algorithms/statistics/calibration.ts'
import { binOf } from '#algorithms/statistics/histogram.ts'
import { rocAuc } from '#algorithms/statistics/roc-auc.ts'
import { bindRole, createPrincipal, createToken } from '#modules/identity/contract.ts'
import { identity } from '#modules/identity/module.ts'
import { registry } from '#modules/registry/module.ts'
import { systemActor } from '#platform/actor.ts'
import { digestOf } from '#platform/ids.ts'
import { listEntries } from '#platform/kernel/contract.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { linesOf, recordOf, seededRandom, seedVersion, sendChunk } from '#testing/predictions.ts'
import {
  compactPredictions,
  getPrediction,
  listPredictions,
  type PredictionRecord,
  predictionHistory,
  predictionStatistics,
  realisedPerformance,
  recordLabels,
  recordPredictions,
  replacePredictionFiles,
} from './contract.ts'
import { predictions } from './module.ts'
import { hourOf, mergeStatistics, summarise } from './window-statistics.ts'

let test: TestPlatform
const onEndpoint = (endpoint: string) => ({ environment: 'prod', endpoint })

beforeAll(async () => {
  test = await createTestPlatform({ modules: [identity, registry, predictions] })
  const random = seededRandom(1)
  const column = () => Array.from({ length: 1000 }, random)
  await seedVersion(test, 'flight-delays', { features: { distance: column() }, predictions: column() })
})
afterAll(() => test.drop())

describe('taking chunks', () => {
  it('counts a chunk once though it is sent twice, also at the same time', async () => {
    const records = [1, 2, 3].map((row) => recordOf(test, { endpoint: 'once', row, features: { distance: 0.5 } }))
    const answers = await Promise.all([sendChunk(test, 'once', records), sendChunk(test, 'once', records)])
    answers.push(await sendChunk(test, 'once', records))
    expect(answers.map(({ rows }) => rows)).toEqual([3, 3, 3])
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
    const { items, watermark } = await test.run(predictionStatistics, onEndpoint('once'))
    expect(items).toMatchObject([{ rows: 3, version: 'flight-delays@1', variant: 'primary' }])
    expect(watermark).toBe('2001-03-11T10:00:00.000Z')
    const listed = await test.run(listPredictions, onEndpoint('once'))
    expect(listed.items).toHaveLength(3)
    const { items: entries } = await test.run(listEntries, { subject: 'endpoint:prod/once' })
    expect(entries).toMatchObject([{ operation: 'record-predictions', facts: { rows: 3, node: 'node-1' } }])
  })

  it('refuses a chunk whose bytes changed, and one whose name was taken by other bytes', async () => {
    const lines = linesOf([recordOf(test, { endpoint: 'bytes' })])
    const input = { node: 'node-1', chunk: 'bytes', digest: digestOf(lines), lines }
    await expect(test.run(recordPredictions, { ...input, lines: `${lines} ` })).rejects.toMatchObject({
      code: 'chunk_damaged',
    })
    await test.run(recordPredictions, input)
    await expect(sendChunk(test, 'bytes', [recordOf(test, { endpoint: 'other' })])).rejects.toMatchObject({
      code: 'chunk_conflict',
    })
  })

  it.each([
    ['a torn last line', (lines: string) => lines.slice(0, -20), 'Line 2'],
    ['a line that is no record', (lines: string) => `${lines}{"id":"x"}\n`, 'Line 3'],
    ['a number for text', (lines: string) => lines.replace('"ORD"', '[1]'), 'Line 1'],
    ['another workspace', (lines: string) => lines.replaceAll(test.workspace, systemActor('').id), 'another workspace'],
  ])('refuses %s and keeps nothing of the chunk', async (_name, spoil, message) => {
    const lines = spoil(linesOf([recordOf(test, { endpoint: 'torn' }), recordOf(test, { endpoint: 'torn', row: 1 })]))
    await expect(
      test.run(recordPredictions, { node: 'node-1', chunk: 'torn', digest: digestOf(lines), lines }),
    ).rejects.toMatchObject({ code: 'prediction_record_invalid', message: expect.stringContaining(message) })
    const { items } = await test.run(predictionStatistics, onEndpoint('torn'))
    expect(items).toEqual([])
  })

  it('takes them over the internal route from whoever may record', async () => {
    await test.run(createPrincipal, { name: 'a-node', kind: 'node' })
    await test.run(bindRole, { principal: 'a-node', role: 'node' })
    const { token } = await test.run(createToken, { principal: 'a-node', name: 'test' })
    const lines = linesOf([recordOf(test, { endpoint: 'route', node: 'a-node' })])
    const send = (authorization: string) =>
      test.controlPlane.http.inject({
        method: 'POST',
        url: '/internal/v1/prediction-records',
        headers: {
          authorization,
          'content-type': 'application/x-ndjson',
          'x-pave-node': 'a-node',
          'x-pave-chunk': 'segment-0',
          'x-pave-digest': digestOf(lines),
        },
        body: lines,
      })
    expect((await send('Bearer pave_wrong')).statusCode).toBe(401)
    const taken = await send(`Bearer ${token}`)
    expect([taken.statusCode, taken.json()]).toEqual([200, expect.objectContaining({ rows: 1, duplicate: false })])
    expect((await send(`Bearer ${token}`)).json()).toMatchObject({ rows: 1, duplicate: true })
  })

  it('shows nothing to another workspace', async () => {
    await sendChunk(test, 'mine', [recordOf(test, { endpoint: 'mine' })])
    const actor = systemActor(test.platform.ids.next())
    const seen = await test.platform.run(predictionStatistics, { actor, input: onEndpoint('mine') })
    expect(seen).toEqual({ items: [], watermark: null })
    expect(await test.platform.run(listPredictions, { actor, input: onEndpoint('mine') })).toMatchObject({ items: [] })
  })
})

const edges = [0.25, 0.5, 0.75]
const edgesOf = () => ({ features: new Map([['distance', edges]]), prediction: edges })
const arbitraryRecord = fc
  .record({
    minute: fc.integer({ min: 0, max: 300 }),
    variant: fc.constantFrom<PredictionRecord['variant']>('primary', 'canary'),
    status: fc.constantFrom<PredictionRecord['status']>('ok', 'fallback', 'error'),
    distance: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    prediction: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    latencyUs: fc.integer({ min: 0, max: 1_000_000 }),
  })
  .map(({ minute, distance, ...record }) =>
    recordOf(
      { workspace: '' },
      { ...record, at: new Date(Date.UTC(2001, 2, 11) + minute * 60_000).toISOString(), features: { distance } },
    ),
  )

it('statistics are a recount, however the records are cut into chunks', () => {
  fc.assert(
    fc.property(fc.array(arbitraryRecord, { maxLength: 60 }), fc.nat(60), (records, cut) => {
      const halves = [records.slice(0, cut), records.slice(cut)].map((half) => summarise(half, edgesOf))
      const keyOf = (hour: { variant: string; hour: string }) => `${hour.variant} ${hour.hour}`
      const merged = new Map<string, ReturnType<typeof summarise>[number]['statistics']>()
      for (const hour of halves.flat()) {
        const before = merged.get(keyOf(hour))
        merged.set(keyOf(hour), before === undefined ? hour.statistics : mergeStatistics(before, hour.statistics))
      }
      const groups = Map.groupBy(records, (record) => keyOf({ variant: record.variant, hour: hourOf(record.at) }))
      expect([...merged.keys()].sort()).toEqual([...groups.keys()].sort())
      for (const [key, group] of groups) {
        const statistics = merged.get(key)
        const good = group.filter((record) => record.status === 'ok')
        const values = good.flatMap((record) => record.features['distance'] ?? [])
        expect(statistics?.rows).toBe(group.length)
        expect(statistics?.errors).toBe(group.filter((record) => record.status === 'error').length)
        expect(statistics?.fallbacks).toBe(group.filter((record) => record.status === 'fallback').length)
        expect(statistics?.latency.count).toBe(group.length)
        expect(statistics?.prediction.nulls).toBe(good.filter((record) => record.prediction === null).length)
        if (good.length === 0) continue
        const live = statistics?.features['distance']
        expect(live?.counts).toEqual([0, 1, 2, 3].map((bin) => values.filter((x) => binOf(x, edges) === bin).length))
        expect(live?.nulls).toBe(good.length - values.length)
        expect(live?.sum).toBeCloseTo(
          values.reduce((a, b) => a + b, 0),
          9,
        )
      }
    }),
  )
})

describe('performance', () => {
  const random = seededRandom(7)
  const rows = Array.from({ length: 1000 }, (_, i) => {
    // Scores with few distinct values, so that ties matter.
    const score = Math.round(random() * 50) / 50
    return {
      id: `p${i}`,
      score,
      label: random() < score ** 2 ? 1 : 0,
      at: new Date(Date.UTC(2001, 2, 1) + i * 600_000),
    }
  })
  const asked = onEndpoint('measured')
  const labelOf = ({ id, label, at }: (typeof rows)[number]) => ({
    id,
    value: label,
    at: new Date(at.getTime() + 3_600_000).toISOString(),
  })

  beforeAll(async () => {
    const records = rows.map(({ id, score, at }) =>
      recordOf(test, { ...asked, id, prediction: score, at: at.toISOString(), features: { distance: score } }),
    )
    const failed = recordOf(test, { ...asked, id: 'failed', status: 'error', prediction: null })
    const shadow = recordOf(test, { ...asked, id: 'p0', variant: 'shadow', version: 'flight-delays@2' })
    await sendChunk(test, 'measured-1', [...records.slice(0, 400), failed])
    await sendChunk(test, 'measured-2', [...records.slice(400), shadow])
    await test.run(recordLabels, { ...asked, labels: rows.slice(0, 800).map(labelOf) })
  })

  const expectNaive = async (labelled: typeof rows) => {
    const { items } = await test.run(realisedPerformance, asked)
    const scores = labelled.map(({ score }) => score)
    const labels = labelled.map(({ label }) => label)
    expect(items).toHaveLength(1)
    const [found] = items
    expect(found).toMatchObject({ predictions: 1000, labelled: labelled.length, coverage: labelled.length / 1000 })
    expect(found?.auc).toBeCloseTo(rocAuc(scores, labels) ?? Number.NaN, 12)
    expect(found?.calibrationError).toBeCloseTo(expectedCalibrationError(scores, labels) ?? Number.NaN, 1)
    expect(found?.brier).toBeCloseTo(
      labelled.reduce((sum, { score, label }) => sum + (score - label) ** 2, 0) / labelled.length,
      12,
    )
    expect(found?.aucInterval?.low).toBeLessThan(found?.auc ?? 0)
    expect(found?.aucInterval?.high).toBeGreaterThan(found?.auc ?? 1)
  }

  it('is the naive one, ties included', () => expectNaive(rows.slice(0, 800)))

  it('is restated when later labels come, whatever the order they are sent in', async () => {
    const restated = rows.map((row, i) => (i < 100 ? { ...row, label: 1 - row.label } : row))
    const later = restated.slice(0, 100).map((row) => ({ ...labelOf(row), at: '2001-06-01T00:00:00Z' }))
    await test.run(recordLabels, { ...asked, labels: [...later, ...restated.slice(800).map(labelOf)] })
    await test.run(recordLabels, { ...asked, labels: rows.slice(0, 100).map(labelOf) })
    await expectNaive(restated)
  })

  it('is told apart by the day, each with an interval of its own', async () => {
    const { items } = await test.run(realisedPerformance, { ...asked, every: 'day' })
    const days = [...new Set(rows.map(({ at }) => at.toISOString().slice(0, 10)))].sort()
    expect(items.map(({ at }) => at?.slice(0, 10))).toEqual(days)
    expect(items.reduce((sum, { predictions }) => sum + predictions, 0)).toBe(1000)
    const whole = await test.run(realisedPerformance, { ...asked, every: 'week' })
    for (const { auc, aucInterval } of [...items, ...whole.items]) {
      expect(aucInterval?.low).toBeLessThanOrEqual(auc ?? -1)
      expect(aucInterval?.high).toBeGreaterThanOrEqual(auc ?? 2)
    }
  })

  it('goes with a history of the traffic, hour by hour and day by day', async () => {
    const { items, watermark } = await test.run(predictionHistory, { ...asked, every: 'day', last: 1000 })
    expect(watermark).not.toBeNull()
    const answered = items.filter(({ variant }) => variant !== 'shadow')
    expect(answered.reduce((sum, one) => sum + one.rows, 0)).toBe(1001)
    expect(answered.reduce((sum, one) => sum + one.errors, 0)).toBe(1)
    const scored = answered.reduce((sum, one) => sum + (one.meanPrediction ?? 0) * (one.rows - one.errors), 0)
    expect(scored).toBeCloseTo(
      rows.reduce((sum, { score }) => sum + score, 0),
      6,
    )
    const hourly = await test.run(predictionHistory, { ...asked, every: 'hour', last: 1 })
    expect(hourly.items.every(({ at }) => at === hourly.items[0]?.at)).toBe(true)
    expect(hourly.items[0]?.at.slice(0, 13)).toBe(watermark?.slice(0, 13))
  })

  it('and pages and single predictions are the same after compaction', async () => {
    // The last bits of a sum depend on the order in which files are read.
    const measured = async () =>
      JSON.parse(
        JSON.stringify(await test.run(realisedPerformance, asked), (_, x) =>
          typeof x === 'number' ? x.toPrecision(9) : x,
        ),
      )
    const before = await measured()
    const pages = async () => {
      const all: unknown[] = []
      for (let cursor: string | undefined, more = true; more; ) {
        const page = await test.run(listPredictions, { ...asked, limit: 150, ...(cursor && { cursor }) })
        all.push(...page.items)
        cursor = page.nextCursor ?? undefined
        more = cursor !== undefined
      }
      return all
    }
    const listed = await pages()
    expect(listed).toHaveLength(1002)
    const one = await test.run(getPrediction, { ...asked, prediction: 'p3' })
    expect(one.items).toMatchObject([{ id: 'p3', request: { origin: 'ORD' }, features: { distance: rows[3]?.score } }])
    expect(one.label).toEqual({ value: 1 - (rows[3]?.label ?? 0), at: '2001-06-01T00:00:00.000Z' })

    const found = async (filter: { id?: string; request?: string; labelled?: boolean }) =>
      (await test.run(listPredictions, { ...asked, limit: 200, ...filter })).items
    expect(await found({ id: 'p3' })).toMatchObject([{ id: 'p3', label: one.label }])
    expect((await found({ request: 'origin=ORD' })).length).toBe(200)
    expect(await found({ request: 'origin=ORD&origin=LGA' })).toEqual([])
    expect(await found({ request: "a/b~c'=1" })).toEqual([])
    const forged = Buffer.from(JSON.stringify(['now', 'p3', 'x', '', ''])).toString('base64url')
    for (const asking of [{ id: 'p\0' }, { request: 'origin=%00' }, { cursor: forged }]) {
      await expect(test.run(listPredictions, { ...asked, ...asking })).rejects.toMatchObject({ code: 'invalid_input' })
    }
    const [labelled, unlabelled] = [await found({ labelled: true }), await found({ labelled: false })]
    expect(labelled.every(({ label }) => label !== null)).toBe(true)
    expect(unlabelled.length).toBeGreaterThan(0)
    expect(unlabelled.every(({ label }) => label === null)).toBe(true)

    const { job } = await test.run(compactPredictions, {})
    expect(await test.finished(job)).toMatchObject({ chunks: expect.any(Number), files: expect.any(Number) })
    expect(await measured()).toEqual(before)
    expect(await pages()).toEqual(listed)
    expect(await test.run(getPrediction, { ...asked, prediction: 'p3' })).toEqual(one)
    expect(
      await sendChunk(
        test,
        'once',
        [1, 2, 3].map((row) => recordOf(test, { endpoint: 'once', row, features: { distance: 0.5 } })),
      ),
    ).toMatchObject({ duplicate: true })

    await sendChunk(test, 'measured-3', [recordOf(test, { ...asked, id: 'late' })])
    const again = await test.run(compactPredictions, {})
    await test.finished(again.job)
    expect(await pages()).toHaveLength(1003)
  })

  it('deletes compacted chunks once nobody can be reading them, and never swaps a file twice', async () => {
    const files = () =>
      test.platform.read(test.workspace, async (db) => {
        const { rows } = await sql<{ id: string; path: string; retired: boolean }>`
          select id, path, retired_at is not null as retired from predictions.file
        `.execute(db)
        return rows
      })
    const before = await test.run(listPredictions, asked)
    const retired = (await files()).filter((file) => file.retired)
    expect(retired.length).toBeGreaterThan(0)
    await expect(
      test.run(replacePredictionFiles, { retire: retired.map(({ id }) => id), add: [], forget: [] }),
    ).rejects.toMatchObject({ code: 'files_changed' })
    const anHourAgo = new Date(test.platform.clock.now() - 3_600_000).toISOString()
    await test.platform.transaction(test.workspace, (db) =>
      sql`update predictions.file set retired_at = ${anHourAgo} where retired_at is not null`.execute(db),
    )
    await test.finished((await test.run(compactPredictions, {})).job)
    const left = await files()
    expect(left.some((file) => file.retired)).toBe(false)
    const onDisk = await readdir(join(test.dataDir, 'predictions'), { recursive: true, withFileTypes: true })
    const paths = onDisk.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    expect(paths.sort()).toEqual(left.map(({ path }) => join(test.dataDir, 'predictions', path)).sort())
    expect(await test.run(listPredictions, asked)).toEqual(before)
  })

  it('answers nothing for an endpoint without predictions', async () => {
    expect(await test.run(realisedPerformance, onEndpoint('nowhere'))).toEqual({ items: [] })
    await expect(test.run(getPrediction, { ...asked, prediction: 'nobody' })).rejects.toMatchObject({
      code: 'prediction_not_found',
    })
  })
})
