import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { type ScorerRow, scorerColumns, scorerOf } from './scorer-row.ts'
import { tracesFailure } from './tables.ts'

export const listScorers = handle(contract.listScorers, async (ctx, { experiment, name }) => {
  const { rows } =
    name === undefined
      ? await sql<ScorerRow>`
          select distinct on (name) ${scorerColumns} from traces.scorer
          where experiment = ${Number(experiment)} order by name, version desc limit 1000
        `.execute(ctx.db)
      : await sql<ScorerRow>`
          select ${scorerColumns} from traces.scorer
          where experiment = ${Number(experiment)} and name = ${name} order by version limit 1000
        `.execute(ctx.db)
  if (name !== undefined && rows.length === 0) {
    throw tracesFailure('scorer_not_found', `The experiment ${experiment} has no scorer ${name}`)
  }
  return { items: rows.map(scorerOf) }
})
