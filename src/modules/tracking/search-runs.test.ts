import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { meetsFilter } from '#algorithms/search-filter/meets-filter.fixture.ts'
import { identity } from '#modules/identity/module.ts'
import type { AnswerOf } from '#platform/operation.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import * as contract from './contract.ts'
import { tracking } from './module.ts'
import { type RunEntity, runExpression } from './run-expression.ts'

/** Enough that no index of one value finds few runs, so that every way to search is gone. */
const crowd = 5300

interface Known {
  name: string
  number: number
  metrics: Record<string, number>
  params: Record<string, string>
  tags: Record<string, string>
  state: 'active' | 'deleted'
  startedAt: string
  run: string
}

let pave: TestPlatform
const experiments: string[] = []
let runs: Known[] = []
beforeAll(async () => {
  pave = await createTestPlatform({ modules: [identity, tracking] })
  for (const name of ['crowd', 'few']) {
    experiments.push((await pave.run(contract.createExperiment, { name })).experiment)
  }
  runs = Array.from({ length: crowd + 20 }, (_, number) => knownRun(number))
  await insert(runs)
})
afterAll(() => pave.drop())

function knownRun(number: number): Known {
  const metric = [number % 97, Number.NaN, Infinity, -Infinity, undefined][number % 61 < 57 ? 0 : (number % 61) - 56]
  return {
    name: `run ${number}`,
    number,
    metrics: { ...(metric !== undefined && { m: metric }), ...(number % 3 === 0 && { 'rare/x': number }) },
    params: { all: 'x', ...(number % 7 !== 0 && { kind: `kind ${number % 5}` }) },
    tags: { all: 'x', part: `part_${number % 11}/${number}`, ...(number % 2 === 0 && { even: 'yes' }) },
    state: number % 13 === 0 ? 'deleted' : 'active',
    startedAt: new Date(1_700_000_000_000 + (number % 1000) * 1000).toISOString(),
    run: `00000000-0000-7000-8000-${String((number * 7919) % 1_000_000).padStart(12, '0')}`,
  }
}

const experimentOf = ({ number }: Known) => experiments[number < crowd ? 0 : 1] ?? ''

/** As the operations would write them, without a ledger entry for each. */
async function insert(all: readonly Known[]): Promise<void> {
  await pave.platform.transaction(pave.workspace, async (db) => {
    const text = JSON.stringify(
      all.map((one) => ({
        ...one,
        experiment: Number(experimentOf(one)),
        metrics: Object.fromEntries(Object.entries(one.metrics).map(([key, value]) => [key, String(value)])),
      })),
    )
    await sql`
      with given as (select * from jsonb_array_elements(${text}::jsonb) as given(one)), row as (
        select one, (one ->> 'run')::uuid as id, (one ->> 'experiment')::int as experiment,
               (one ->> 'startedAt')::timestamptz as started_at from given
      ), run as (
        insert into tracking.run (workspace, id, experiment, name, status, state, started_at, author, tags)
        select ${pave.workspace}::uuid, id, experiment, one ->> 'name', 'running', one ->> 'state', started_at, id, one -> 'tags'
        from row
      ), param as (
        insert into tracking.param (workspace, run, experiment, started_at, key, value)
        select ${pave.workspace}::uuid, id, experiment, started_at, key, value
        from row cross join lateral jsonb_each_text(one -> 'params')
      ), numbers as (select id, experiment, key, value from row cross join lateral jsonb_each_text(one -> 'metrics'))
      insert into tracking.run_metric (workspace, run, experiment, key, step, timestamp, value)
      select ${pave.workspace}::uuid, id, experiment, key, 0, 0, value::float8 from numbers
    `.execute(db)
  })
}

type Order = { field: 'metric' | 'param' | 'attribute'; key: string; descending: boolean }
interface Search {
  experiments: string[]
  filter: string
  orderBy: Order[]
  state: 'active' | 'deleted' | 'all'
}

function found({ experiments: among, filter, orderBy, state }: Search): string[] {
  const expression = runExpression(filter)
  const meeting = runs.filter(
    (run) =>
      among.includes(experimentOf(run)) &&
      (state === 'all' || run.state === state) &&
      meetsFilter<RunEntity>(expression, (entity, key) => {
        if (entity === 'metric') return Number.isNaN(run.metrics[key]) ? undefined : run.metrics[key]
        if (entity === 'param') return run.params[key]
        if (entity === 'tag') return run.tags[key]
        return { name: run.name, run: run.run, startedAt: run.startedAt, status: 'running' }[key]
      }),
  )
  const compare = <T extends string | number>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : 0)
  const sortedBy = (run: Known, { field, key }: Order) =>
    field === 'metric'
      ? run.metrics[key]
      : field === 'param'
        ? run.params[key]
        : key === 'name'
          ? run.name
          : run.startedAt
  const rank = (value: string | number | undefined) => (value === undefined ? 2 : Number.isNaN(value) ? 1 : 0)
  return meeting
    .toSorted((a, b) => {
      for (const order of orderBy) {
        const [left, right] = [sortedBy(a, order), sortedBy(b, order)]
        const ranked = rank(left) - rank(right)
        if (ranked !== 0) return ranked
        const compared = rank(left) === 0 ? compare(left ?? '', right ?? '') : 0
        if (compared !== 0) return order.descending ? -compared : compared
      }
      return compare(b.startedAt, a.startedAt) || compare(a.run, b.run)
    })
    .map((run) => run.name)
}

async function pages(search: Search, limit: number, most: number): Promise<{ names: string[]; total: number | null }> {
  const names: string[] = []
  let total: number | null = null
  for (let cursor: string | undefined; ; ) {
    const page: AnswerOf<typeof contract.searchTrackingRuns> = contract.searchTrackingRuns.output.parse(
      await pave.run(contract.searchTrackingRuns, {
        ...search,
        limit,
        fields: [],
        count: cursor === undefined,
        ...(cursor !== undefined && { cursor }),
      }),
    )
    total ??= page.total
    names.push(...page.items.map(({ name }) => name))
    if (page.nextCursor === null || names.length >= most) return { names, total }
    cursor = page.nextCursor
  }
}

describe('a search', () => {
  const bound = fc.integer({ min: -1, max: 100 })
  const comparison = fc.oneof(
    fc.tuple(fc.constantFrom('>', '<', '>=', '<=', '=', '!='), bound).map(([by, value]) => `metrics.m ${by} ${value}`),
    bound.map((value) => `metrics."rare/x" > ${value * 50}`),
    fc.constantFrom(
      "params.all = 'x'",
      "tags.all = 'x'",
      "tags.all IN ('x', 'y')",
      "tags.all LIKE 'x%'",
      "params.kind = 'kind 3'",
      "params.kind in ('kind 1', 'kind 2')",
      'params.kind is null',
      "tags.part LIKE 'part_1%'",
      "tags.part LIKE 'part\\_1/2%'",
      "tags.part LIKE '%\\' or params.kind ILIKE 'KIND 1'",
      "tags.part ILIKE '%/77%'",
      'tags.even is not null',
      "tags.even != 'no'",
      "name like 'run 1%'",
      'start_time > 1700000500000',
      "run_id != '00000000000070008000000000000000'",
    ),
  )
  const filter = fc.oneof(
    fc.constant(''),
    fc.array(comparison, { minLength: 1, maxLength: 3 }).map((terms) => terms.join(' and ')),
    fc.tuple(comparison, comparison, comparison).map(([a, b, c]) => `${a} and not (${b} or ${c})`),
  )
  const order: fc.Arbitrary<Order> = fc.record({
    field: fc.constantFrom('metric' as const, 'metric' as const, 'param' as const, 'attribute' as const),
    key: fc.constant('m'),
    descending: fc.boolean(),
  })
  const orders = fc
    .array(order, { maxLength: 2 })
    .map((list) =>
      list.map((one) => ({ ...one, key: { metric: 'm', param: 'kind', attribute: 'startedAt' }[one.field] })),
    )

  it('finds what meets its filter, in order, page by page, however it is carried out', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          experiments: fc.constantFrom(['crowd'], ['crowd', 'few']),
          filter,
          orderBy: orders,
          state: fc.constantFrom('active' as const, 'all' as const, 'deleted' as const),
        }),
        fc.integer({ min: 40, max: 200 }),
        async ({ experiments: names, ...given }, limit) => {
          const search = { ...given, experiments: names.map((name) => experiments[name === 'crowd' ? 0 : 1] ?? '') }
          const all = found(search)
          const { names: seen, total } = await pages(search, limit, limit * 3)
          expect(seen).toEqual(all.slice(0, seen.length))
          expect(seen.length).toBeGreaterThanOrEqual(Math.min(all.length, limit * 3))
          expect(total).toBe(all.length)
        },
      ),
      { numRuns: 30, endOnFailure: true },
    )
  }, 120_000)

  it('goes on to the end through numbers, NaN and runs without the metric', async () => {
    for (const descending of [false, true]) {
      const search: Search = {
        experiments,
        filter: "tags.even = 'yes'",
        orderBy: [{ field: 'metric', key: 'm', descending }],
        state: 'active',
      }
      expect((await pages({ ...search, filter: '' }, 1000, 10_000)).names).toEqual(found({ ...search, filter: '' }))
      expect((await pages(search, 300, 10_000)).names).toEqual(found(search))
    }
  }, 60_000)

  it('tells the fields that it is asked for', async () => {
    const [item] = (
      await pave.run(contract.searchTrackingRuns, {
        experiments,
        filter: "name = 'run 9'",
        fields: ['metrics.rare/x', 'tags', 'params.none'],
      })
    ).items
    expect(item).toMatchObject({ name: 'run 9', params: {}, tags: runs[9]?.tags })
    expect(item?.metrics.map(({ key, value }) => [key, value])).toEqual([['rare/x', 9]])
    const [whole] = (await pave.run(contract.searchTrackingRuns, { experiments, filter: "name = 'run 9'" })).items
    expect(whole?.params).toEqual(runs[9]?.params)
  })

  it('follows the tags as they change', async () => {
    const { run } = await pave.run(contract.createTrackingRun, { experiment: '0', tags: { a: '1', b: '2' } })
    await pave.run(contract.logRunData, { run, tags: { a: '3' } })
    await pave.run(contract.updateTrackingRun, { run, removeTags: ['b'] })
    const has = async (filter: string) =>
      (await pave.run(contract.searchTrackingRuns, { experiments: ['0'], filter })).items.length === 1
    expect(await has("tags.a = '3'")).toBe(true)
    expect(await has("tags.a = '1'")).toBe(false)
    expect(await has("tags.b = '2'")).toBe(false)
    expect(await has("tags.b like '2%'")).toBe(false)
  })

  it('finds runs by what they read', async () => {
    const { run } = await pave.run(contract.createTrackingRun, { experiment: '0' })
    const dataset = { name: 'flights', digest: 'd1', sourceType: 'local', source: '{}' }
    await pave.run(contract.recordRunLineage, {
      run,
      datasets: [{ ...dataset, tags: { 'mlflow.data.context': 'training' } }],
    })
    for (const filter of [
      "datasets.name = 'flights' and dataset.digest in ('d1')",
      "datasets.context like 'train%'",
      "not datasets.name = 'ships' and datasets.digest = 'd1'",
    ]) {
      const { items } = await pave.run(contract.searchTrackingRuns, { experiments: ['0'], filter })
      expect(
        items.map((item) => item.run),
        filter,
      ).toEqual([run])
    }
  })

  it.each([
    ["metrics.m > 'x'", 'At column 13: '],
    ["datasets.colour = 'x'", "Invalid dataset key 'colour'"],
    ["start_time > 'soon'", 'is not a time'],
  ])('that is wrong is refused: %s', async (wrong, message) => {
    await expect(pave.run(contract.searchTrackingRuns, { experiments: ['0'], filter: wrong })).rejects.toMatchObject({
      code: 'run_search_invalid',
      message: expect.stringContaining(message),
    })
  })
})
