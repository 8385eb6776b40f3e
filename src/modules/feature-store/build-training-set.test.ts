import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { systemActor } from '#platform/actor.ts'
import type { TestPlatform } from '#testing/platform.ts'
import { buildTrainingSet, type TrainingSetInput } from './contract.ts'
import { declareFlights, ingestFlights, startFeatureStore } from './flights.fixture.ts'

let test: TestPlatform

beforeAll(async () => {
  test = await startFeatureStore()
}, 60_000)
afterAll(() => test.drop())

const Built = z.object({ digest: z.string(), rows: z.number(), positives: z.number(), features: z.array(z.string()) })

async function build(input: z.input<typeof TrainingSetInput>) {
  const { job } = await test.run(buildTrainingSet, input)
  return Built.parse(await test.finished(job))
}

async function rowsOf(digest: string) {
  const path = await test.platform.services.objects.localPath(digest)
  return (await test.platform.services.analytics.query(`SELECT * FROM read_parquet('${path}')`)).rows
}

const minute = 60_000
const hour = 60 * minute
const start = Date.parse('2001-01-01T00:00:00Z')

const flight = fc.record({
  /** Minutes after the start. */
  at: fc.integer({ min: 0, max: 3000 }),
  delay: fc.integer({ min: -30, max: 60 }),
  distance: fc.integer({ min: 50, max: 900 }),
  origin: fc.constantFrom('A', 'B', 'C'),
  destination: fc.constantFrom('A', 'B'),
})
type Flight = { at: number; delay: number; distance: number; origin: string; destination: string }

const departure = ({ at }: Flight) => start + at * minute
const knownAt = (one: Flight) => departure(one) + 30 * minute + Math.trunc((one.distance / 450) * hour)

/** Whole hops before the one that `asked` is in, as the definition says. */
function window(flights: Flight[], asked: number, span: number, hop: number, same: (one: Flight) => boolean) {
  const end = Math.floor(asked / hop)
  return flights.filter((one) => {
    const tile = Math.floor(knownAt(one) / hop)
    return same(one) && tile >= end - span / hop && tile < end
  })
}

const lateShare = (flights: Flight[]) =>
  flights.length === 0 ? null : flights.filter(({ delay }) => delay > 15).length / flights.length

function expectedRow(all: Flight[], one: Flight) {
  const asked = departure(one)
  const near = (span: number, hop: number, same: (other: Flight) => boolean) => window(all, asked, span, hop, same)
  const came = near(hour, 5 * minute, ({ destination }) => destination === one.destination)
  return {
    left_late: lateShare(near(3 * hour, 5 * minute, ({ origin }) => origin === one.origin)),
    left: near(24 * hour, hour, ({ origin }) => origin === one.origin).length,
    inbound_late: lateShare(near(hour, 5 * minute, ({ destination }) => destination === one.origin)),
    came_late: lateShare(came),
    came_worst: came.length === 0 ? null : Math.max(...came.map(({ delay }) => delay)),
    route_late: lateShare(
      near(168 * hour, hour, (other) => other.origin === one.origin && other.destination === one.destination),
    ),
    minute: new Date(asked).getUTCHours() * 60 + new Date(asked).getUTCMinutes(),
    distance: one.distance,
    label: Number(one.delay > 15),
    event_timestamp: new Date(asked).toISOString(),
    date: new Date(asked).toISOString(),
    origin: one.origin,
    destination: one.destination,
  }
}

function selectOf(flights: Flight[]): string {
  const rows = flights.map(
    (one) => `(epoch_ms(${departure(one)}), ${one.delay}, ${one.distance}, '${one.origin}', '${one.destination}')`,
  )
  return `SELECT * FROM (VALUES ${rows.join(', ')}) f("date", delay, distance, origin, destination)`
}

describe('building a training set', () => {
  it('tells each row what was known at its time, and nothing later', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(flight, { minLength: 60, maxLength: 150, selector: JSON.stringify }),
        async (given) => {
          await declareFlights(test, selectOf(given))
          const { ref } = await ingestFlights(test)
          const { digest, rows, positives } = await build({ featureService: 'delays', dataset: ref, label: 'late' })
          const built = await rowsOf(digest)
          const order = (row: object) => JSON.stringify(Object.entries(row).sort())
          const sorted = (list: object[]) =>
            list.map((row) => ({ ...row })).sort((a, b) => (order(a) < order(b) ? -1 : 1))
          const expected = given.map((one) => expectedRow(given, one))
          expect(sorted(built)).toEqual(sorted(expected))
          expect(rows).toBe(given.length)
          expect(positives).toBe(expected.filter(({ label }) => label === 1).length)
        },
      ),
      { numRuns: 6 },
    )
  }, 60_000)

  it('keeps to the rows asked for, and the same sample every time', async () => {
    const given = fc.sample(flight, { numRuns: 200, seed: 7 })
    await declareFlights(test, selectOf(given))
    const { ref } = await ingestFlights(test)
    const all = { featureService: 'delays', dataset: ref, label: 'late' }
    const knownBefore = '2001-01-02T00:00:00Z'
    const part = await rowsOf((await build({ ...all, from: '2001-01-01T12:00:00Z', knownBefore })).digest)
    expect(part.length).toBeGreaterThan(0)
    for (const row of part) {
      expect(String(row['date']) >= '2001-01-01T12:00:00').toBe(true)
      const at = (Date.parse(String(row['date'])) - start) / minute
      const known = knownAt({ at, delay: 0, distance: Number(row['distance']), origin: '', destination: '' })
      expect(known).toBeLessThan(Date.parse(knownBefore))
    }
    const sample = await build({ ...all, sample: { rows: 20, seed: 1 } })
    expect(await build({ ...all, sample: { rows: 20, seed: 1 } })).toEqual(sample)
    expect((await build({ ...all, sample: { rows: 20, seed: 2 } })).digest).not.toBe(sample.digest)
    const byRow = new Set((await rowsOf((await build(all)).digest)).map((row) => JSON.stringify(row)))
    const sampled = await rowsOf(sample.digest)
    expect(sampled).toHaveLength(20)
    for (const row of sampled) expect(byRow).toContain(JSON.stringify(row))
  }, 30_000)

  it('writes CSV with the features in order, then the label, and nothing for a missing value', async () => {
    await declareFlights(test, selectOf([{ at: 61, delay: 20, distance: 450, origin: 'A', destination: 'B' }]))
    const { ref } = await ingestFlights(test)
    const { digest } = await build({ featureService: 'delays', dataset: ref, label: 'late', format: 'csv' })
    const text = (await test.platform.services.objects.read(digest, { maxBytes: 10_000 })).toString()
    expect(text.trim().split('\n')).toEqual([
      'left_late,left,inbound_late,came_late,came_worst,route_late,minute,distance,label,event_timestamp,date,origin,destination',
      ',0,,,,,61,450.0,1,2001-01-01T01:01:00.000Z,2001-01-01T01:01:00.000Z,A,B',
    ])
  })

  it('says what is wrong with the question', async () => {
    await declareFlights(test, selectOf([{ at: 61, delay: 20, distance: 450, origin: 'A', destination: 'B' }]))
    const { ref } = await ingestFlights(test)
    const ask = { featureService: 'delays', dataset: ref, label: 'late' }
    const refused = (change: object) => test.run(buildTrainingSet, { ...ask, ...change })
    await expect(refused({ label: 'origin' })).rejects.toMatchObject({ code: 'label_invalid' })
    await expect(refused({ label: 'price' })).rejects.toMatchObject({ code: 'label_invalid' })
    await expect(refused({ dataset: 'flights@99' })).rejects.toMatchObject({ code: 'dataset_version_not_found' })
    await expect(refused({ featureService: 'none' })).rejects.toMatchObject({ code: 'feature_service_not_found' })
    await expect(test.run(buildTrainingSet, ask, { as: systemActor(test.platform.ids.next()) })).rejects.toMatchObject({
      code: 'dataset_version_not_found',
    })
  })
})
