import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { aggregationFunctions, type TileAggregation } from './declaration.ts'
import { offlineSql } from './offline-sql.ts'
import { type AggregationPlan, planAggregations } from './plan.ts'
import { readFeatures } from './read-features.ts'
import {
  type AggregationEvent,
  AggregationStateError,
  applyEvents,
  decodeState,
  emptyState,
  encodeState,
} from './state.ts'

/** The definition again, as naively as it can be written. */
function naive(plan: AggregationPlan, events: readonly AggregationEvent[], q: number): (number | null)[] {
  return plan.aggregations.map(({ function: name, column, window, hop }) => {
    const now = Math.floor(q / hop)
    const inside = events.filter(({ at }) => {
      const tile = Math.floor(at / hop)
      return tile >= now - window / hop && tile < now
    })
    if (column === undefined) return inside.length
    const values = inside
      .map(({ values }) => values[plan.columns.indexOf(column)] ?? null)
      .filter((value): value is number => value !== null && Number.isFinite(value))
    const sum = values.reduce((a, b) => a + b, 0)
    if (name === 'count') return values.length
    if (values.length === 0) return null
    if (name === 'sum') return sum
    if (name === 'mean') return sum / values.length
    return name === 'min' ? Math.min(...values) : Math.max(...values)
  })
}

function expectSame(actual: readonly (number | null)[], expected: readonly (number | null)[]): void {
  const differs = (a: number | null, b: number | null) =>
    a === null || b === null ? a !== b : Math.abs(a - b) > 1e-9 * Math.max(1, Math.abs(a), Math.abs(b))
  expect(actual.length).toBe(expected.length)
  if (actual.some((value, i) => differs(value, expected[i] ?? null))) expect(actual).toEqual(expected)
}

const declarations = fc
  .array(
    fc.record({
      function: fc.constantFrom(...aggregationFunctions),
      column: fc.constantFrom('a', 'b'),
      rows: fc.boolean(),
      hop: fc.constantFrom(10, 60),
      tiles: fc.integer({ min: 1, max: 12 }),
    }),
    { minLength: 1, maxLength: 9 },
  )
  .map((list) =>
    list.map(
      ({ function: name, column, rows, hop, tiles }, i): TileAggregation => ({
        name: `f${i}`,
        function: name,
        ...(name === 'count' && rows ? {} : { column }),
        window: tiles * hop,
        hop,
      }),
    ),
  )

const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -1000, max: 1000 }) },
  { weight: 3, arbitrary: fc.double({ min: -1e3, max: 1e3, noNaN: true }) },
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity) },
)
/** Around the epoch, so that negative tiles occur, with many equal times and times on hop edges. */
const time = fc.oneof(
  fc.integer({ min: -300, max: 600 }),
  fc.integer({ min: -5, max: 10 }).map((hop) => hop * 60),
)
const event = fc.record({ at: time, values: fc.tuple(value, value) })

/** Events carry a value for `a` and `b`; the plan wants its own columns in its own order. */
function eventsFor(
  plan: AggregationPlan,
  events: readonly { at: number; values: readonly [number | null, number | null] }[],
) {
  return events.map(({ at, values: [a, b] }) => ({
    at,
    values: plan.columns.map((column) => (column === 'a' ? a : b)),
  }))
}

/** The earliest time at which `readFeatures` promises to be exact. */
function exactFrom(plan: AggregationPlan, events: readonly AggregationEvent[]): number {
  const newest = Math.max(...events.map(({ at }) => at))
  return Math.max(...plan.hops.map(({ hop }) => (Math.floor(newest / hop) - 1) * hop))
}

describe('online', () => {
  it('reads what the naive definition says, however events are ordered and split into batches', () => {
    fc.assert(
      fc.property(
        declarations,
        fc.array(event, { minLength: 1, maxLength: 60 }),
        fc.nat(60),
        fc.integer({ min: 0, max: 400 }),
        (list, drawn, split, ahead) => {
          const plan = planAggregations(list)
          const events = eventsFor(plan, drawn)
          const q = exactFrom(plan, events) + ahead
          const first = applyEvents(emptyState(plan), plan, events.slice(0, split))
          const stored = encodeState(first.state, plan)
          const second = applyEvents(decodeState(stored, plan), plan, events.slice(split))
          const bytes = encodeState(second.state, plan)
          expectSame(readFeatures(bytes, plan, q), naive(plan, events, q))
          expect(encodeState(decodeState(bytes, plan), plan)).toEqual(bytes)
          // Values from a database may start anywhere in their buffer.
          const shifted = new Uint8Array(bytes.length + 3)
          shifted.set(bytes, 3)
          expect(readFeatures(shifted.subarray(3), plan, q)).toEqual(readFeatures(bytes, plan, q))
        },
      ),
      { numRuns: 1000 },
    )
  })

  const plan = planAggregations([
    { name: 'n', function: 'count', window: 30, hop: 10 },
    { name: 'sum', function: 'sum', column: 'a', window: 30, hop: 10 },
  ])

  it('knows closed tiles only', () => {
    const { state } = applyEvents(emptyState(plan), plan, [
      { at: 9, values: [1] },
      { at: 10, values: [2] },
    ])
    const bytes = encodeState(state, plan)
    expect(readFeatures(bytes, plan, 9)).toEqual([0, null])
    expect(readFeatures(bytes, plan, 10)).toEqual([1, 1])
    expect(readFeatures(bytes, plan, 19)).toEqual([1, 1])
    expect(readFeatures(bytes, plan, 20)).toEqual([2, 3])
    expect(readFeatures(bytes, plan, 39)).toEqual([2, 3])
    expect(readFeatures(bytes, plan, 40)).toEqual([1, 2])
    expect(readFeatures(bytes, plan, 50)).toEqual([0, null])
  })

  it('counts events behind the kept tiles as too late and leaves the given state alone', () => {
    const before = applyEvents(emptyState(plan), plan, [{ at: 100, values: [1] }]).state
    const copy = structuredClone(before)
    const after = applyEvents(before, plan, [
      { at: -401, values: [5] },
      { at: -400, values: [7] },
      { at: 140, values: [null] },
    ])
    expect(before).toEqual(copy)
    expect(after.tooLate).toBe(2)
    expect(readFeatures(encodeState(after.state, plan), plan, 140)).toEqual([0, null])
    expect(readFeatures(encodeState(after.state, plan), plan, 130)).toEqual([1, 1])
    expect(readFeatures(encodeState(after.state, plan), plan, 150)).toEqual([1, null])
  })

  it('refuses an event without a time rather than forgetting every tile', () => {
    const { state } = applyEvents(emptyState(plan), plan, [{ at: 0, values: [1] }])
    for (const at of [Number.NaN, Infinity]) {
      expect(() => applyEvents(state, plan, [{ at, values: [1] }])).toThrow('not finite')
    }
  })

  it('answers for an entity never seen', () => {
    expect(readFeatures(undefined, plan, 0)).toEqual([0, null])
    expect(readFeatures(encodeState(emptyState(plan), plan), plan, 0)).toEqual([0, null])
  })

  it('refuses bytes of another layout, another format, or cut short', () => {
    const other = planAggregations([{ name: 'n', function: 'max', column: 'a', window: 30, hop: 10 }])
    const bytes = encodeState(applyEvents(emptyState(plan), plan, [{ at: 0, values: [1] }]).state, plan)
    expect(() => readFeatures(bytes, other, 0)).toThrow('another definition')
    expect(() => decodeState(bytes.subarray(0, bytes.length - 1), plan)).toThrow(AggregationStateError)
    expect(() => decodeState(bytes.subarray(0, 7), plan)).toThrow('format 1')
    expect(() => decodeState(new Uint8Array(64), plan)).toThrow('format 1')
  })

  it('keeps its layout when only the names or windows change within the same tiles', () => {
    const renamed = planAggregations([
      { name: 'flights', function: 'count', window: 10, hop: 10 },
      { name: 'total', function: 'sum', column: 'a', window: 60, hop: 10 },
    ])
    expect(renamed.layout).toBe(plan.layout)
  })
})

describe('offline', () => {
  let duckdb: DuckDBConnection
  beforeAll(async () => {
    duckdb = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
  })

  async function offline(
    plan: AggregationPlan,
    events: string,
    queries: string,
  ): Promise<Map<number, (number | null)[]>> {
    const sql = offlineSql(plan, {
      events,
      entityColumns: ['entity', 'part'],
      timeColumn: 'available at',
      queries,
      queryRowColumn: 'row',
      queryEntityColumns: ['key', 'part'],
      queryTimeColumn: 'q',
    })
    const rows = (await duckdb.runAndReadAll(sql)).getRows()
    const answers = new Map<number, (number | null)[]>()
    for (const [row, ...features] of rows) {
      expect(answers.has(Number(row))).toBe(false)
      answers.set(
        Number(row),
        features.map((feature) => (feature === null ? null : Number(feature))),
      )
    }
    return answers
  }

  const literal = (number: number | null): string =>
    number === null ? 'NULL' : Number.isFinite(number) ? `${number}::DOUBLE` : `'${number}'::DOUBLE`
  const at = (ms: number): string => `make_timestamp(${ms}::BIGINT * 1000)`
  const key = (entity: string | null): string => (entity === null ? 'NULL' : `'${entity}'`)

  it('gives one row per query, equal to the naive definition and to what is read online', async () => {
    const entity = fc.constantFrom('x', 'y', null)
    await fc.assert(
      fc.asyncProperty(
        declarations,
        fc.array(fc.tuple(event, entity), { minLength: 1, maxLength: 40 }),
        fc.array(fc.tuple(time, fc.constantFrom('x', 'y', 'z', null)), { minLength: 1, maxLength: 30 }),
        async (list, drawn, queries) => {
          const plan = planAggregations(list)
          const events = drawn.map(
            ([{ at: ms, values }, entity]) =>
              `(${key(entity)}, 1, ${at(ms)}, ${literal(values[0])}, ${literal(values[1])})`,
          )
          const asked = queries.map(([q, entity], row) => `(${row}, ${key(entity)}, 1::BIGINT, ${at(q)})`)
          const answers = await offline(
            plan,
            `(SELECT * FROM (VALUES ${events.join(', ')}) AS t(entity, part, "available at", a, b))`,
            `(SELECT * FROM (VALUES ${asked.join(', ')}) AS t("row", key, part, q))`,
          )
          expect(answers.size).toBe(queries.length)
          queries.forEach(([q, entity], row) => {
            const own = eventsFor(
              plan,
              drawn.filter(([, owner]) => owner !== null && owner === entity).map(([e]) => e),
            )
            expectSame(answers.get(row) ?? [], naive(plan, own, q))
            if (own.length > 0 && q >= exactFrom(plan, own)) {
              const bytes = encodeState(applyEvents(emptyState(plan), plan, own).state, plan)
              expectSame(answers.get(row) ?? [], readFeatures(bytes, plan, q))
            }
          })
        },
      ),
      { numRuns: 60 },
    )
  })

  it('does not lose small values behind a large one', async () => {
    const plan = planAggregations([{ name: 's', function: 'sum', column: 'a', window: 60_000, hop: 60_000 }])
    const answers = await offline(
      plan,
      `(SELECT 'x' AS entity, 1 AS part, make_timestamp(i * 60000000) AS "available at",
          CASE WHEN i = 0 THEN 1e20 ELSE 0.1 END AS a FROM range(3) t(i))`,
      `(SELECT 0 AS "row", 'x' AS key, 1 AS part, make_timestamp(180000000) AS q)`,
    )
    expect(answers.get(0)).toEqual([0.1])
  })

  it('treats null and infinite times as never, and reads zoned and nanosecond times', async () => {
    await duckdb.run(`SET TimeZone = 'America/New_York'`)
    const plan = planAggregations([{ name: 'n', function: 'count', window: 86_400_000, hop: 3_600_000 }])
    const answers = await offline(
      plan,
      `(SELECT 'x' AS entity, 1 AS part, unnest([NULL, 'infinity', '-infinity', '2026-01-01 00:30:00+00',
          '1969-12-31 23:59:59.9999+00']::TIMESTAMPTZ[]) AS "available at")`,
      `(SELECT unnest([0, 1, 2, 3]) AS "row", 'x' AS key, 1 AS part,
          unnest([NULL, 'infinity', '2026-01-01 01:00:00', '1970-01-01 00:00:00']::TIMESTAMP_NS[]) AS q)`,
    )
    expect([0, 1, 2, 3].map((row) => answers.get(row))).toEqual([[0], [0], [1], [1]])
  })

  it('does not mistake composite keys or confuse a table that has the name of a step', async () => {
    const plan = planAggregations([
      { name: 'total "of" all', function: 'sum', column: 'a', window: 60_000, hop: 60_000 },
    ])
    await duckdb.run(`CREATE OR REPLACE TABLE events AS
      SELECT '1' AS entity, '23' AS part, make_timestamp(0) AS "available at", 5 AS a`)
    const answers = await offline(
      plan,
      'events',
      `(SELECT * FROM (VALUES (1, '12', '3', make_timestamp(60000000)), (2, '1', '23', make_timestamp(60000000)))
        AS t("row", key, part, q))`,
    )
    expect(answers).toEqual(
      new Map([
        [1, [null]],
        [2, [5]],
      ]),
    )
  })

  it('refuses keys that do not pair up', () => {
    const plan = planAggregations([{ name: 'n', function: 'count', window: 1000, hop: 1000 }])
    const input = { events: 'e', timeColumn: 't', queries: 'q', queryRowColumn: 'r', queryTimeColumn: 't' }
    expect(() => offlineSql(plan, { ...input, entityColumns: [] })).toThrow('entity columns')
    expect(() => offlineSql(plan, { ...input, entityColumns: ['a'], queryEntityColumns: ['a', 'b'] })).toThrow(
      'same number',
    )
  })
})
