import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import type { PoolClient } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '#testing/postgres.ts'
import { openPool } from '../storage/database/database.ts'
import { readBytea, readCopyRow } from './copy-text.ts'
import { dumpTables, setPortable } from './dump-database.ts'
import { linesOf, readPart } from './part-files.ts'

let database: TestDatabase
let directory: string
let client: PoolClient
const cleanUps: Array<() => Promise<unknown>> = []

beforeAll(async () => {
  database = await createTestDatabase()
  directory = await mkdtemp(join(tmpdir(), 'pave-copy-'))
  const pool = openPool(database.url, undefined, { max: 1, onError: () => {} })
  client = await pool.connect()
  cleanUps.push(
    async () => client.release(true),
    () => pool.end(),
    () => database.drop(),
    () => rm(directory, { recursive: true, force: true }),
  )
  await client.query('create schema odd')
  await client.query(`create table odd.thing (
    id int primary key, "some text" text, bytes bytea, list text[], number float8, large bigint, at timestamptz,
    doc jsonb, raw json, flag boolean, twice int generated always as (id * 2) stored)`)
  await client.query('create table odd.copy (like odd.thing including all)')
})
afterAll(async () => {
  for (const work of cleanUps) await work()
})

/** Everything that has a meaning in the format, among letters of every kind; PostgreSQL holds no NUL. */
const awkward = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\\',
        '\t',
        '\n',
        '\r',
        '\b',
        '\f',
        '\v',
        '\\N',
        '\\.',
        '\u2028',
        '"',
        '{',
        '}',
        ',',
        'é',
        '🛫',
        ' ',
      ),
      fc.string({ unit: 'binary', maxLength: 3 }).map((text) => text.replaceAll('\0', '')),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''))

const rowOf = fc.record({
  text: fc.option(awkward),
  bytes: fc.option(fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))),
  list: fc.option(fc.array(fc.option(awkward), { maxLength: 3 })),
  number: fc.option(fc.oneof(fc.double(), fc.constantFrom(Number.NaN, -0, 5e-324, Number.POSITIVE_INFINITY))),
  large: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  at: fc.option(
    fc.constantFrom('infinity', '-infinity', '0044-03-15 12:00:00.123456+00 BC', '2026-03-29T02:30:00+01:00'),
  ),
  doc: fc.option(fc.json()),
  flag: fc.option(fc.boolean()),
})

test('awkward values come back as they were, and a reader of the files sees the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(rowOf, { minLength: 1, maxLength: 20 }), async (rows) => {
      await client.query('truncate odd.thing, odd.copy')
      for (const [id, { text, bytes, list, number, large, at, doc, flag }] of rows.entries()) {
        const raw = doc
        // jsonb holds no \u0000, which JSON may.
        const parsed = doc?.includes('\\u0000') ? null : doc
        await client.query('insert into odd.thing values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)', [
          ...[id, text, bytes, list, number === null ? null : text8(number)],
          ...[large?.toString() ?? null, at, parsed, raw, flag],
        ])
      }
      await rm(join(directory, 'tables'), { recursive: true, force: true })
      await client.query('begin')
      await setPortable(client)
      const tables = await dumpTables(client, ['odd'], directory, () => {})
      const dumped = tables.find(({ table }) => table === 'thing')
      if (dumped === undefined) throw new Error('nothing was dumped')
      expect(dumped).toMatchObject({ rows: rows.length })
      expect(dumped.columns).not.toContain('twice')

      const columns = dumped.columns.map((column) => `"${column}"`).join(', ')
      const stream = client.query(copyFrom(`copy odd.copy (${columns}) from stdin`))
      await pipeline(readPart(directory, dumped), stream)
      const { rows: differing } = await client.query(
        'select t.id from odd.thing t full join odd.copy c using (id) where t::text is distinct from c::text',
      )
      await client.query('commit')
      expect(differing).toEqual([])

      let line = 0
      for await (const text of linesOf(readPart(directory, dumped))) {
        const [id, words, bytes] = readCopyRow(text)
        const row = rows[Number(id)]
        expect(words).toBe(row?.text ?? null)
        if (row?.bytes) expect(readBytea(bytes)).toEqual(row.bytes)
        else expect(bytes).toBe(null)
        line++
      }
      expect(line).toBe(rows.length)
    }),
    { numRuns: 25 },
  )
})

/** The driver would write -0 as 0. */
function text8(number: number): string {
  return Object.is(number, -0) ? '-0' : String(number)
}
