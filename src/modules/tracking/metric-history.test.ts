import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identity } from '#modules/identity/module.ts'
import type { OutputOf } from '#platform/operation.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import * as contract from './contract.ts'
import { columnsOf, comparePoints, decodeColumn, encodeColumn, mergeColumns, pointAt } from './metric-columns.ts'
import { tracking } from './module.ts'
import { mostBatches } from './pack-metrics.ts'

let pave: TestPlatform
beforeAll(async () => {
  pave = await createTestPlatform({ modules: [identity, tracking] })
})
afterAll(() => pave.drop())

interface Logged {
  key: string
  step: number
  timestamp: number
  value: contract.MetricValue
}

const value = fc.oneof(
  fc.constantFrom<contract.MetricValue>(0, 1, 'NaN', 'Infinity', '-Infinity', 1.5, -2e-308, 1.7976931348623157e308),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const logged: fc.Arbitrary<Logged> = fc.record({
  key: fc.constantFrom('loss', 'auc/val', 'x y'),
  step: fc.oneof(fc.integer({ min: -2, max: 6 }), fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER)),
  timestamp: fc.integer({ min: 0, max: 3 }),
  value,
})

const number = ({ step, timestamp, value: text }: Logged) => ({ step, timestamp, value: Number(text) })
const text = ({ step, timestamp, value: text }: Logged) => `${step} ${timestamp} ${Number(text) + 0}`

/** What a run has of one key, worked out the plain way. */
function expected(points: readonly Logged[]) {
  const sorted = points.toSorted((a, b) => comparePoints(number(a), number(b)))
  const numbers = points.map((point) => Number(point.value)).filter((one) => !Number.isNaN(one))
  return {
    history: [...new Set(sorted.map(text))],
    latest: text(sorted.at(-1) ?? { key: '', step: 0, timestamp: 0, value: 0 }),
    lowest: numbers.length === 0 ? null : Math.min(...numbers) + 0,
    highest: numbers.length === 0 ? null : Math.max(...numbers) + 0,
  }
}

async function historyOf(run: string, key: string, limit: number): Promise<string[]> {
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page: OutputOf<typeof contract.listMetricPoints> = await pave.run(contract.listMetricPoints, {
      run,
      key,
      limit,
      ...(cursor !== undefined && { cursor }),
    })
    expect(page.items.length).toBeLessThanOrEqual(limit)
    seen.push(...page.items.map(text))
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return seen
}

async function rowsOf(run: string) {
  return pave.platform.read(pave.workspace, async (db) => {
    const { rows } = await sql<{ batches: number; chunks: number; largest: number }>`
      select (select count(*) from tracking.metric_batch where run = ${run}) as batches,
             (select count(*) from tracking.metric_chunk where run = ${run}) as chunks,
             (select max(points) from tracking.metric_chunk where run = ${run}) as largest
    `.execute(db)
    return rows[0]
  })
}

const newRun = async () => (await pave.run(contract.createTrackingRun, { experiment: '0' })).run

describe('a history', () => {
  it('is all different points in order, whatever the batches, the pages and the packing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(logged, { maxLength: 30 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 9 }),
        async (batches, limit) => {
          const run = await newRun()
          for (const metrics of batches) {
            const distinct = new Set(metrics.map((point) => `${point.key} ${text(point)}`)).size
            const { points } = await pave.run(contract.logRunData, { run, metrics })
            expect([0, distinct]).toContain(points)
          }
          const { metrics } = await pave.run(contract.getTrackingRun, { run })
          const byKey = Map.groupBy(batches.flat(), (point) => point.key)
          expect(metrics.map((metric) => metric.key)).toEqual([...byKey.keys()].sort())
          for (const metric of metrics) {
            const { history, latest, lowest, highest } = expected(byKey.get(metric.key) ?? [])
            expect(await historyOf(run, metric.key, limit)).toEqual(history)
            expect(text(metric)).toBe(latest)
            expect([metric.lowest, metric.highest].map((one) => (one === null ? null : Number(one)))).toEqual([
              lowest,
              highest,
            ])
          }
        },
      ),
      { numRuns: 15 },
    )
  }, 60_000)

  it('logged point by point is packed into chunks, and late and repeated points find their place', async () => {
    const run = await newRun()
    const points = Array.from({ length: mostBatches * 2 + 40 }, (_, index) => ({
      key: 'loss',
      step: index % 50 === 7 ? index - 5 : index,
      timestamp: index,
      value: index % 9 === 0 ? ('NaN' as const) : index / 7,
    }))
    for (const point of points) await pave.run(contract.logRunData, { run, metrics: [point] })
    await pave.run(contract.logRunData, { run, metrics: [...points.slice(0, 300), ...points.slice(200, 260)] })
    expect(await rowsOf(run)).toMatchObject({ chunks: 1, largest: mostBatches * 2 })
    expect((await rowsOf(run))?.batches).toBeLessThan(mostBatches)
    for (const limit of [100, 1000]) expect(await historyOf(run, 'loss', limit)).toEqual(expected(points).history)
  }, 60_000)

  it('of many points is packed once enough wait, into chunks that are never longer', async () => {
    const run = await newRun()
    const points = Array.from({ length: 70_000 }, (_, index) => ({
      key: index % 2 === 0 ? 'a' : 'b',
      step: index,
      timestamp: index,
      value: Math.sin(index),
    }))
    for (let at = 0; at < points.length; at += 10_000) {
      await pave.run(contract.logRunData, { run, metrics: points.slice(at, at + 10_000) })
    }
    const packed = await rowsOf(run)
    expect(packed?.largest).toBe(1024)
    expect(packed?.batches).toBeLessThan(7)
    const inOrder = points.filter(({ key }) => key === 'b').map(text)
    expect(await historyOf(run, 'b', 9_000)).toEqual(inOrder)
    expect(await historyOf(run, 'b', 25_000)).toEqual(inOrder)
  }, 60_000)

  it('with a thousand points at one step comes in small pages too', async () => {
    const run = await newRun()
    const points = Array.from({ length: 3000 }, (_, index) => ({ key: 'x', step: 5, timestamp: index, value: 1 }))
    for (const point of points.slice(0, mostBatches - 1)) await pave.run(contract.logRunData, { run, metrics: [point] })
    await pave.run(contract.logRunData, { run, metrics: points })
    expect(await rowsOf(run)).toMatchObject({ batches: 0, chunks: 3 })
    expect(await historyOf(run, 'x', 700)).toEqual(points.map(text))
  }, 60_000)

  it('keeps what was logged at once by many', async () => {
    const run = await newRun()
    const points = Array.from({ length: mostBatches + 100 }, (_, index) => ({
      key: index % 3 === 0 ? 'a' : 'b',
      step: index,
      timestamp: 0,
      value: index,
    }))
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        for (let at = worker; at < points.length; at += 8) {
          const point = points[at]
          if (point !== undefined)
            await pave.run(contract.logRunData, { run, metrics: [point, { ...point, key: 'c' }] })
        }
      }),
    )
    for (const key of ['a', 'b']) {
      expect(await historyOf(run, key, 50)).toEqual(points.filter((point) => point.key === key).map(text))
    }
    expect(await historyOf(run, 'c', 50)).toEqual(points.map(text))
  }, 60_000)
})

describe('a sample', () => {
  it('has the peaks of a long history, of every run that has one, and of a part of it', async () => {
    const [run, other] = [await newRun(), await newRun()]
    const points = Array.from({ length: 9000 }, (_, step) => ({
      key: 'loss',
      step,
      timestamp: 9000 - step,
      value: step === 4321 ? 99 : step === 777 ? ('NaN' as const) : Math.sin(step),
    }))
    await pave.run(contract.logRunData, { run, metrics: points })
    await pave.run(contract.logRunData, { run: other, metrics: points.slice(0, 3) })
    const sample = (input: object) => pave.run(contract.sampleMetric, { runs: [run, other], key: 'loss', ...input })
    const { series } = await sample({ points: 100 })
    expect(series.map(({ run: of, total }) => [of, total])).toEqual([
      [run, 9000],
      [other, 3],
    ])
    const steps = series[0]?.points.map(({ step }) => step) ?? []
    expect(steps.length).toBeLessThanOrEqual(100)
    expect([0, 777, 4321, 8999].every((step) => steps.includes(step))).toBe(true)
    const byTime = (await sample({ points: 100, axis: 'time' })).series[0]?.points ?? []
    expect(byTime.map(({ timestamp }) => timestamp)).toEqual(
      byTime.map(({ timestamp }) => timestamp).toSorted((a, b) => a - b),
    )
    const part = (await sample({ points: 5000, fromStep: 100, toStep: 1100 })).series[0]
    expect(part).toMatchObject({ total: 1001 })
    expect(part?.points.map(({ step }) => step)).toEqual(points.slice(100, 1101).map(({ step }) => step))
  })
})

describe('columns', () => {
  it('merge as their points do, and survive their encoding', () => {
    fc.assert(
      fc.property(fc.array(fc.array(logged, { maxLength: 20 }), { maxLength: 5 }), (parts) => {
        const merged = mergeColumns(parts.map((part) => columnsOf(part.map(number))))
        const decoded = {
          steps: decodeColumn(encodeColumn(merged.steps)),
          timestamps: decodeColumn(encodeColumn(merged.timestamps)),
          values: decodeColumn(encodeColumn(merged.values)),
        }
        const found = Array.from(decoded.steps, (_, at) => text({ key: '', ...pointAt(decoded, at) }))
        expect(found).toEqual(expected(parts.flat()).history)
      }),
    )
  })
})
