import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { resolveDatasetVersion } from '#modules/datasets/queries.ts'
import { systemActor } from '#platform/actor.ts'
import { listEntries } from '#platform/kernel/contract.ts'
import type { TestPlatform } from '#testing/platform.ts'
import { buildTrainingSet, getOnlineFeatures, materializeViews, pushEvents } from './contract.ts'
import { declareFlights, ingestFlights, startFeatureStore } from './flights.fixture.ts'

let test: TestPlatform

beforeAll(async () => {
  test = await startFeatureStore()
  await declareFlights(test)
}, 60_000)
afterAll(() => test.drop())

const hour = 3_600_000
const day = 24 * hour
const iso = (at: number) => new Date(at).toISOString()

const columnNames = ['date', 'delay', 'distance', 'origin', 'destination'] as const
type Row = Record<string, unknown>
const columnsOf = (rows: readonly Row[]) =>
  Object.fromEntries(columnNames.map((name) => [name, rows.map((row) => row[name])]))

let batches = 0
const push = (rows: readonly Row[], batch = `batch-${batches++}`) =>
  test.run(pushEvents, { dataset: 'flights', batch, columns: columnsOf(rows) })

async function onlineFeatures(rows: readonly Row[]) {
  const asked = rows.map(({ date, origin, destination, distance }) => ({
    date: String(date),
    origin: String(origin),
    destination: String(destination),
    distance: Number(distance),
  }))
  const { features, rows: answers } = await test.run(getOnlineFeatures, { featureService: 'delays', rows: asked })
  return answers.map((answer) => Object.fromEntries(features.map((name, index) => [name, answer[index] ?? null])))
}

describe('training and serving', () => {
  it('agree on a real day after a backfill and pushed events', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 11, max: 170 }), async (offset) => {
        const from = Date.parse('2001-01-01T00:00:00Z') + (offset - 10) * day
        const pushed = from + 10 * day
        const past = await ingestFlights(test, { from: iso(from), to: iso(pushed) })
        const whole = await ingestFlights(test, { from: iso(from), to: iso(pushed + 2 * day) })
        await test.finished((await test.run(materializeViews, { dataset: past.ref })).job)

        const { analytics, objects } = test.platform.services
        const { digest } = await test.platform.read(test.workspace, (db) => resolveDatasetVersion(db, whole.ref))
        const { rows: events } = await analytics.query(
          `SELECT * FROM read_parquet('${await objects.localPath(digest)}') WHERE "date" >= epoch_ms(?) ORDER BY known_at, origin`,
          [pushed],
          { maxRows: 100_000 },
        )
        const training = await test.run(buildTrainingSet, {
          featureService: 'delays',
          dataset: whole.ref,
          label: 'late',
          from: iso(pushed + 12 * hour),
        })
        const built = z
          .object({ digest: z.string(), features: z.array(z.string()) })
          .parse(await test.finished(training.job))
        const { rows: offline } = await analytics.query(
          `SELECT * FROM read_parquet('${await objects.localPath(built.digest)}')`,
          [],
          { maxRows: 100_000 },
        )

        // By then every outcome of the backfill is known, so that no state is ahead of the question.
        let sent = 0
        let compared = 0
        for (let at = pushed + 12 * hour; at < pushed + 2 * day; at += 3 * hour) {
          const end = events.findIndex((event) => Date.parse(String(event['known_at'])) >= at)
          const due = events.slice(sent, end < 0 ? events.length : end)
          for (let start = 0; start < due.length; start += 5000) await push(due.slice(start, start + 5000))
          sent += due.length
          const asked = offline.filter(({ date }) => {
            const time = Date.parse(String(date))
            return time >= at && time < at + hour / 12
          })
          const online = asked.length === 0 ? [] : await onlineFeatures(asked)
          for (const [index, row] of asked.entries()) {
            for (const name of built.features) expect([name, online[index]?.[name]]).toEqual([name, row[name]])
          }
          compared += asked.length
        }
        expect(compared).toBeGreaterThan(100)
      }),
      { numRuns: 1 },
    )
  }, 120_000)
})

describe('pushing events', () => {
  const event = { date: '2001-07-01T10:00:00Z', delay: 30, distance: 450, origin: 'XAA', destination: 'XBB' }
  const later = { ...event, date: '2001-07-01T12:30:00Z' }
  const countOf = async (origin: string) =>
    (await onlineFeatures([{ ...later, origin, date: '2001-07-01T23:00:00Z' }]))[0]?.['left']

  it('counts a batch once however often it is sent', async () => {
    const answer = { accepted: 2, tooLate: 0, quarantined: {} }
    expect(await push([event, event], 'twice')).toEqual({ ...answer, repeated: false })
    expect(await push([event, event], 'twice')).toEqual({ ...answer, repeated: true })
    expect(await countOf('XAA')).toBe(2)
    await expect(push([event], 'twice')).rejects.toMatchObject({ code: 'batch_reused', status: 409 })
    expect(await countOf('XAA')).toBe(2)
    const { items } = await test.run(listEntries, { operation: 'push-events', limit: 1 })
    expect(items[0]?.facts).toMatchObject({
      batch: 'twice',
      accepted: 2,
      repeated: true,
      last: '2001-07-01T11:30:00.000Z',
    })
  })

  it('loses none of the batches that come at the same time', async () => {
    await Promise.all(Array.from({ length: 12 }, () => push([{ ...event, origin: 'XCC' }])))
    expect(await countOf('XCC')).toBe(12)
  })

  it('leaves out what breaks the rules of the dataset, as ingestion does', async () => {
    const sent = [{ ...event, delay: -500 }, { ...event, origin: null }, event].map((one) => ({ ...one }))
    const broken = sent.map((one) => (one.origin === null ? one : { ...one, origin: 'XDD' }))
    expect(await push(broken)).toMatchObject({
      accepted: 1,
      quarantined: { 'possible-delay': 1, 'not-null:origin': 1 },
    })
    expect(await countOf('XDD')).toBe(1)
  })

  it('keeps workspaces apart', async () => {
    const as = systemActor(test.platform.ids.next())
    await expect(
      test.run(pushEvents, { dataset: 'flights', batch: 'foreign', columns: columnsOf([event]) }, { as }),
    ).rejects.toMatchObject({ code: 'dataset_not_found' })
  })

  it.each<[string, object, object]>([
    [
      'a value of another type',
      { ...columnsOf([event, event]), delay: [1, 'x'] },
      { code: 'value_invalid', problems: [{ pointer: '/columns/delay/1' }] },
    ],
    [
      'a time that is none',
      { ...columnsOf([event]), date: ['yesterday'] },
      { code: 'value_invalid', problems: [{ pointer: '/columns/date/0' }] },
    ],
    ['an unknown column', { ...columnsOf([event]), price: [1] }, { code: 'column_unknown' }],
    [
      'columns of different lengths',
      { ...columnsOf([event]), delay: [1, 2] },
      { code: 'columns_uneven', problems: [{ pointer: '/columns/delay' }] },
    ],
    ['a missing column', { date: [event.date] }, { code: 'column_missing' }],
    [
      'an event of the far future',
      columnsOf([{ ...event, date: '2222-01-01T00:00:00Z' }]),
      { code: 'event_in_future' },
    ],
    ['what is no table', [1], { code: 'columns_uneven' }],
  ])('refuses %s, and counts nothing', async (_, columns, error) => {
    const before = await countOf('XAA')
    await expect(test.run(pushEvents, { dataset: 'flights', batch: 'refused', columns })).rejects.toMatchObject(error)
    expect(await countOf('XAA')).toBe(before)
  })
})
