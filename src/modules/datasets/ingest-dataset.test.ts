import { createReadStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { recordObject } from '#platform/kernel/contract.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { identity } from '../identity/module.ts'
import {
  type DatasetSpec,
  getDatasetVersion,
  ingestDataset,
  listDatasetVersions,
  listQuarantine,
  putDataset,
} from './contract.ts'
import { datasets } from './module.ts'
import { storeParquet } from './store-parquet.fixture.ts'

const flights = fileURLToPath(new URL('../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url))

const Ingested = z.object({
  ref: z.string(),
  rows: z.number(),
  quarantined: z.record(z.string(), z.number()),
  digest: z.string(),
})

let test: TestPlatform

beforeAll(async () => {
  test = await createTestPlatform({ modules: [identity, datasets] })
}, 60_000)
afterAll(() => test.drop())

async function ingest(range: { dataset: string; from?: string; to?: string }) {
  const { job } = await test.run(ingestDataset, range)
  return Ingested.parse(await test.finished(job))
}

describe('ingesting the flights of January and February', () => {
  const range = { dataset: 'flights', from: '2001-01-01', to: '2001-03-01' }

  beforeAll(async () => {
    const source = await test.platform.services.objects.put(createReadStream(flights))
    await test.run(recordObject, source)
    await test.run(putDataset, {
      dataset: 'flights',
      spec: {
        source,
        timeColumn: 'date',
        columns: {
          date: { type: 'timestamp' },
          delay: { type: 'int' },
          distance: { type: 'int' },
          origin: { type: 'string' },
          destination: { type: 'string' },
        },
        unique: {},
        rules: [{ name: 'possible-delay', check: 'delay >= -120' }],
        derived: {
          known_at: { type: 'timestamp', expression: 'date + duration("30m") + hours(double(distance) / 450.0)' },
          late: { type: 'bool', expression: 'delay > 15' },
        },
      },
    })
  })

  it('sets duplicates and impossible delays aside, and answers the same version when asked again', async () => {
    const first = await ingest(range)
    expect(first).toMatchObject({
      ref: 'flights@1',
      rows: 966_345,
      quarantined: { unique: 61, 'possible-delay': 3 },
    })
    expect(await ingest({ ...range, from: '2001-01-01T01:00:00+01:00' })).toEqual(first)
    const { items } = await test.run(listDatasetVersions, { dataset: 'flights' })
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({
      firstTime: '2001-01-01T00:01:00.000Z',
      lastTime: '2001-02-28T23:59:00.000Z',
      columns: ['date', 'delay', 'distance', 'origin', 'destination', 'known_at', 'late'].map((name) => ({ name })),
      profile: expect.arrayContaining([
        expect.objectContaining({ name: 'delay', min: -87, max: 1688, nulls: 0 }),
        expect.objectContaining({ name: 'late', mean: expect.closeTo(0.2183, 4) }),
      ]),
    })
  }, 30_000)

  it('lists what was set aside, page by page and by rule', async () => {
    const { ref } = await ingest(range)
    const at = { dataset: 'flights', version: ref.split('@')[1] ?? '' }
    const impossible = await test.run(listQuarantine, { ...at, rule: 'possible-delay' })
    expect(impossible.items.map(({ row }) => row['delay'])).toEqual([-212, -953, -1116])
    const rules: string[] = []
    let cursor: string | undefined
    do {
      const page = await test.run(listQuarantine, { ...at, limit: 25, ...(cursor && { cursor }) })
      rules.push(...page.items.map(({ rule }) => rule))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    expect(rules).toHaveLength(64)
  })
})

describe('the pictures of columns', () => {
  it('count every row that passed, wherever outliers lie', async () => {
    const source = await storeParquet(
      test,
      `SELECT TIMESTAMP '2001-01-01' + INTERVAL (i) HOUR AS "at", i AS even, CASE WHEN i = 0 THEN 1e9 ELSE i END AS far,
       7 AS same, CASE WHEN i % 4 = 0 THEN NULL ELSE chr(97 + CAST(i % 4 AS INTEGER)) END AS letter, i < 150 AS early
       FROM range(0, 1000) r(i)`,
    )
    const number = { type: 'int' } as const
    const columns = {
      at: { type: 'timestamp' },
      even: number,
      far: { type: 'double' },
      same: number,
      letter: { type: 'string', nullable: true },
      early: { type: 'bool' },
    } as const
    await test.run(putDataset, { dataset: 'pictures', spec: { source, timeColumn: 'at', columns } })
    await ingest({ dataset: 'pictures' })
    const { profile } = await test.run(getDatasetVersion, { dataset: 'pictures', version: 'latest' })
    const picture = (name: string) => profile.find((column) => column.name === name)
    for (const name of ['at', 'even', 'far']) {
      const { edges, counts } = picture(name)?.histogram ?? { edges: [], counts: [] }
      expect(counts).toHaveLength(edges.length + 1)
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1000)
      expect(Math.max(...counts)).toBeLessThan(60)
      expect(edges).toEqual([...edges].sort((a, b) => a - b))
    }
    expect(picture('same')).toMatchObject({ histogram: null, top: null })
    expect(picture('letter')).toMatchObject({
      nulls: 250,
      histogram: null,
      top: ['b', 'c', 'd'].map((value) => ({ value, rows: 250 })),
    })
    expect(picture('early')?.top).toEqual([
      { value: 'false', rows: 850 },
      { value: 'true', rows: 150 },
    ])
  })
})

describe('ingesting rows that break rules', () => {
  const rows = `SELECT * FROM (VALUES
    (TIMESTAMP '2001-01-01 10:00', 1, 'a', 1.0), (TIMESTAMP '2001-01-01 09:00', 2, 'b', 2.0),
    (TIMESTAMP '2001-01-01 11:00', 1, 'a', 3.0), (NULL, 3, 'c', 4.0), (TIMESTAMP '2001-01-01 12:00', NULL, 'd', -5.0),
    (TIMESTAMP '2001-01-01 13:00', 5, NULL, -6.0), (TIMESTAMP '2001-01-02 00:00', 6, 'f', 'nan'::DOUBLE)
  ) t("at", id, shop, amount)`

  async function declare(dataset: string, change: Partial<z.input<typeof DatasetSpec>> = {}) {
    const source = await storeParquet(test, rows)
    await test.run(putDataset, {
      dataset,
      spec: {
        source,
        timeColumn: 'at',
        columns: {
          at: { type: 'timestamp' },
          id: { type: 'int', nullable: true },
          shop: { type: 'string' },
          amount: { type: 'double' },
        },
        unique: { columns: ['id', 'shop'] },
        rules: [
          { name: 'has-amount', check: 'amount > -100.0' },
          { name: 'early', check: 'at.getHours() < 12', action: 'warn' },
        ],
        ...change,
      },
    })
  }

  it('counts each row under the first rule it breaks: nulls, duplicates, then the rules', async () => {
    await declare('sales')
    const result = await ingest({ dataset: 'sales' })
    expect(result).toMatchObject({
      rows: 3,
      quarantined: { 'not-null:at': 1, 'not-null:shop': 1, unique: 1, 'has-amount': 1 },
    })
    expect(await test.run(getDatasetVersion, { dataset: 'sales', version: 'latest' })).toMatchObject({
      warned: { early: 1 },
      firstTime: '2001-01-01T09:00:00.000Z',
    })
    const set = await test.run(listQuarantine, { dataset: 'sales', version: 'latest', rule: 'unique' })
    expect(set.items).toMatchObject([{ row: { id: 1, amount: 3 } }])
  })

  it('registers nothing when a rule with the action fail is broken', async () => {
    await declare('strict', { rules: [{ name: 'positive', check: 'amount > 0.0', action: 'fail' }] })
    await expect(ingest({ dataset: 'strict' })).rejects.toThrow(/rule_failed.*2 rows break positive/)
    const { items } = await test.run(listDatasetVersions, { dataset: 'strict' })
    expect(items).toEqual([])
  })

  it('makes another version of another range or contract, and refuses an empty range', async () => {
    await declare('ranges')
    const whole = await ingest({ dataset: 'ranges' })
    const part = await ingest({ dataset: 'ranges', to: '2001-01-01T11:00:00Z' })
    expect([whole.ref, part.ref, part.rows]).toEqual(['ranges@1', 'ranges@2', 2])
    await declare('ranges', { rules: [] })
    expect((await ingest({ dataset: 'ranges' })).ref).toBe('ranges@3')
    await expect(ingest({ dataset: 'ranges', from: '2001-01-02', to: '2001-01-02' })).rejects.toMatchObject({
      code: 'range_invalid',
    })
  })
})
