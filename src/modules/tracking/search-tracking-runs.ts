import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, encodeCursor } from '#platform/names.ts'
import * as contract from './contract.ts'
import { describeRuns } from './describe-runs.ts'
import { conditionsOf } from './run-filter.ts'
import { afterKeys, orderBy, predicateOf, sortKeysOf } from './run-search.ts'
import { type RunRow, trackingFailure } from './tables.ts'

const mostConditions = 50

export const searchTrackingRuns = handle(contract.searchTrackingRuns, async (ctx, input) => {
  const keys = sortKeysOf(input.orderBy)
  const conditions = [...input.conditions, ...conditionsOf(input.filter)]
  if (conditions.length > mostConditions) {
    throw trackingFailure(
      'run_search_invalid',
      `There are ${conditions.length} conditions; ${mostConditions} is the most`,
    )
  }
  const after = decodeCursor(input.cursor, keys.length)
  const predicates = [
    sql<boolean>`run.experiment = any(${input.experiments.map(Number)}::int[])`,
    ...(input.state === 'all' ? [] : [sql<boolean>`run.state = ${input.state}`]),
    ...conditions.map(predicateOf),
    ...(after === undefined ? [] : [afterKeys(keys, after)]),
  ]
  const { rows } = await sql<RunRow & { sort_keys: (string | number)[] }>`
    select run.id, run.experiment, run.name, run.status, run.state, run.started_at, run.ended_at, run.author, run.tags,
           jsonb_build_array(${sql.join(keys.map((key) => key.expression))}) as sort_keys
    from tracking.run run
    where ${sql.join(predicates, sql` and `)}
    order by ${orderBy(keys)}
    limit ${input.limit + 1}
  `.execute(ctx.db)
  const page = rows.slice(0, input.limit)
  const last = page.at(-1)
  return {
    items: await describeRuns(ctx.db, page),
    nextCursor: rows.length > input.limit && last !== undefined ? encodeCursor(last.sort_keys) : null,
  }
})
