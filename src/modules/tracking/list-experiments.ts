import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type ExperimentRow, experimentOf } from './tables.ts'

export const listExperiments = handle(contract.listExperiments, async (ctx, { name, state, limit, cursor }) => {
  const [before] = decodeCursor(cursor, 1) ?? [2 ** 31 - 1]
  const { rows } = await sql<ExperimentRow>`
    select id, name, state, tags, created_at, updated_at from tracking.experiment
    where id < ${before}
      and (${state} = 'all' or state = ${state})
      and (${name ?? null}::text is null or name = ${name ?? null})
    order by id desc limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, experimentOf, (row) => [row.id])
})
