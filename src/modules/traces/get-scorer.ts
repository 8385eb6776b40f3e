import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { type ScorerRow, scorerColumns, scorerOf } from './scorer-row.ts'
import { tracesFailure } from './tables.ts'

export const getScorer = handle(contract.getScorer, async (ctx, { experiment, name, version }) => {
  const { rows } = await sql<ScorerRow>`
    select ${scorerColumns} from traces.scorer
    where experiment = ${Number(experiment)} and name = ${name} and version = coalesce(${version ?? null}, version)
    order by version desc limit 1
  `.execute(ctx.db)
  if (rows[0] !== undefined) return scorerOf(rows[0])
  const which = version === undefined ? name : `${name} in version ${version}`
  throw tracesFailure('scorer_not_found', `The experiment ${experiment} has no scorer ${which}`)
})
