import { type RawBuilder, sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import type { InputOf } from '#platform/operation.ts'
import { afterKeys, orderBy, type SortKey, sortKeyValues } from '#platform/search-sql.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { type Candidate, chooseSource, type Source } from './choose-source.ts'
import { compileRunFilter } from './compile-run-filter.ts'
import * as contract from './contract.ts'
import { describeRuns } from './describe-runs.ts'
import { runExpression, runOrderings } from './run-expression.ts'
import { sortJoins, sortKeysOf } from './run-order.ts'
import type { RunRow } from './tables.ts'

interface Search {
  experiments: readonly number[]
  /** What each run must meet, whatever finds it. */
  predicate: RawBuilder<boolean>
  keys: readonly SortKey[]
  joins: RawBuilder<unknown>
  after: readonly (string | number)[] | undefined
  /** Rows to read, one more than are answered. */
  rows: number
}

export const searchTrackingRuns = handle(contract.searchTrackingRuns, async (ctx, input) => {
  const { runs, nextCursor, source, search } = await findRuns(ctx, input)
  return {
    items: await describeRuns(ctx.db, runs, input.fields),
    nextCursor,
    total: input.count ? await count(ctx.db, source, search) : null,
  }
})

/** A page of runs, not described yet, and how it was found. */
export async function findRuns(
  ctx: OperationContext,
  input: Omit<InputOf<typeof contract.searchTrackingRuns>, 'fields' | 'count'>,
) {
  const expression = runExpression(input.filter)
  const orderings = runOrderings(input.orderBy, input.order)
  const keys = sortKeysOf(orderings)
  const experiments = [...new Set(input.experiments.map(Number))]
  const search: Search = {
    experiments,
    predicate: sql`(${input.state} = 'all' or run.state = ${input.state})
      and ${compileRunFilter(expression)}`,
    keys,
    joins: sortJoins(orderings),
    after: decodeCursor(input.cursor, keys.length),
    rows: input.limit + 1,
  }
  const source = await chooseSource(ctx.db, experiments, expression, orderings)
  const { rows } = await sql<RunRow & { sort_keys: (string | number)[] }>`
    select page.*, ${sortKeyValues(namedKeys(keys))} as sort_keys
    from (${statementOf(source, search)} order by ${orderBy(namedKeys(keys))} limit ${search.rows}) page
    order by ${orderBy(namedKeys(keys))}
  `.execute(ctx.db)
  const { items: runs, nextCursor } = pageFrom(
    rows,
    input.limit,
    (row) => row,
    (row) => row.sort_keys,
  )
  return { runs, nextCursor, source, search }
}

/** Each experiment gives its first rows by itself, so that an index of one experiment's order serves several too. */
function statementOf(source: Source, search: Search): RawBuilder<unknown> {
  const { experiments, keys, after } = search
  const beyond = after === undefined ? undefined : afterKeys(keys, after)
  if (source.kind === 'few') {
    const predicate = sql<boolean>`${isAmong(source.candidate, experiments)} and ${search.predicate}`
    return sql`select * from (${rowsFrom(sql`tracking.run run`, { ...search, predicate }, keys, beyond)}) page`
  }
  return sql`
    select page.* from unnest(${experiments}::int[]) as wanted(experiment)
    cross join lateral (${perExperiment(source, search, beyond)}) page
  `
}

function perExperiment(source: Source, search: Search, beyond: RawBuilder<boolean> | undefined): RawBuilder<unknown> {
  const { keys } = search
  if (source.kind === 'label') {
    const { table, found } = source.candidate
    const from = valuesWithRuns(table)
    const own = sql<boolean>`candidate.experiment = wanted.experiment and ${found}`
    // Newest first is by start and id alone, of which the label has copies that its index is ordered by.
    const indexed = keys.map((key) => ({
      ...key,
      expression: key.type === 'uuid' ? sql`candidate.run` : sql`candidate.started_at`,
    }))
    const later = search.after === undefined ? undefined : afterKeys(indexed, search.after)
    return rowsFrom(from, { ...search, predicate: sql`${own} and ${search.predicate}` }, indexed, later)
  }
  if (source.kind === 'metric')
    return sql`select * from (${byMetric(source, search)}) ranked order by ${orderBy(namedKeys(keys))} limit ${search.rows}`
  const own = sql<boolean>`run.experiment = wanted.experiment and ${search.predicate}`
  return rowsFrom(sql`tracking.run run`, { ...search, predicate: own }, keys, beyond)
}

/** Numbers, then NaN, then runs without the metric; what comes later is not even asked for when there is enough before. */
function byMetric({ ordering, range }: Extract<Source, { kind: 'metric' }>, search: Search): RawBuilder<unknown> {
  const from = valuesWithRuns(sql`tracking.run_metric`)
  const own = sql<boolean>`candidate.experiment = wanted.experiment and candidate.key = ${ordering.key}`
  const [rank, value, ...others] = search.keys
  if (rank === undefined || value === undefined) throw new Error('a metric has two sort keys')
  const reached = Number(search.after?.[0] ?? 0)
  const part = (
    number: number,
    source: RawBuilder<unknown>,
    found: RawBuilder<boolean>,
    expression: RawBuilder<unknown>,
  ) => {
    const inner = [{ ...value, expression }, ...others]
    const keys = [{ ...rank, expression: sql`${sql.lit(number)}::int` }, ...inner]
    const beyond =
      search.after === undefined || reached !== number ? undefined : afterKeys(inner, search.after.slice(1))
    const predicate = sql<boolean>`${found} and ${search.predicate}`
    // A constant needs no sorting by, and a sort by it would hide the index's order.
    const sorted = number === 0 ? inner : others
    return sql`(${rowsFrom(source, { ...search, predicate }, keys, beyond, sorted)})`
  }
  const parts = [
    part(0, from, sql`${own} and ${range ?? sql`candidate.value < 'NaN'`}`, sql`candidate.value`),
    ...(range === undefined
      ? [
          part(1, from, sql`${own} and candidate.value = 'NaN'`, sql`'0'::float8`),
          part(
            2,
            sql`tracking.run run`,
            sql`run.experiment = wanted.experiment and not exists (
              select from tracking.run_metric candidate
              where candidate.workspace = run.workspace and candidate.run = run.id and candidate.key = ${ordering.key}
            )`,
            sql`'0'::float8`,
          ),
        ]
      : []),
  ].slice(reached)
  return sql`select * from (${sql.join(parts, sql` union all `)}) parts limit ${search.rows}`
}

/** An array, so that each run is looked up by its id whatever the planner knows of the tables. */
function isAmong({ table, found }: Candidate, experiments: readonly number[]): RawBuilder<boolean> {
  return sql`run.id = any(array(
    select candidate.run from ${table} candidate where candidate.experiment = any(${experiments}::int[]) and ${found}
  ))`
}

/** Values in the order of their index, each with its run: the run cannot be looked up before the value is there. */
function valuesWithRuns(table: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`${table} candidate cross join lateral (
    select * from tracking.run where run.workspace = candidate.workspace and run.id = candidate.run offset 0
  ) run`
}

function rowsFrom(
  from: RawBuilder<unknown>,
  { predicate, joins, rows }: Search,
  keys: readonly SortKey[],
  beyond: RawBuilder<boolean> | undefined,
  sorted: readonly SortKey[] = keys,
): RawBuilder<unknown> {
  return sql`
    select run.id, run.experiment, run.name, run.status, run.state, run.started_at, run.ended_at, run.author, run.tags,
           ${sql.join(keys.map(({ expression }, index) => sql`${expression} as ${sql.id(`key_${index}`)}`))}
    from ${from}${joins}
    where ${predicate}${beyond === undefined ? sql`` : sql` and ${beyond}`}
    order by ${orderBy(sorted)}
    limit ${rows}
  `
}

/** The sort keys as columns of a page. */
function namedKeys(keys: readonly SortKey[]): SortKey[] {
  return keys.map((key, index) => ({ ...key, expression: sql.id(`key_${index}`) }))
}

async function count(db: Db, source: Source, { experiments, predicate }: Search): Promise<number> {
  const among =
    source.kind === 'few' || source.kind === 'label' ? isAmong(source.candidate, experiments) : sql<boolean>`true`
  const { rows } = await sql<{ total: number }>`
    select count(*) as total from tracking.run run
    where run.experiment = any(${experiments}::int[]) and ${among} and ${predicate}
  `.execute(db)
  return rows[0]?.total ?? 0
}
