import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, encodeCursor } from '#platform/names.ts'
import * as contract from './contract.ts'
import { describeLoggedModels, type LoggedModelRow, loggedModelColumns } from './describe-logged-models.ts'

/** Ids are made in the order of time. */
export const searchLoggedModels = handle(contract.searchLoggedModels, async (ctx, input) => {
  const { experiments, run, name, limit, cursor } = input
  const [before] = decodeCursor(cursor, 1) ?? ['ffffffff-ffff-ffff-ffff-ffffffffffff']
  const { rows } = await sql<LoggedModelRow>`
    select ${loggedModelColumns} from tracking.logged_model
    where experiment = any(${experiments.map(Number)}::int[])
      and id < ${before}::uuid
      and (${run ?? null}::uuid is null or run = ${run ?? null})
      and (${name ?? null}::text is null or name = ${name ?? null})
    order by id desc limit ${limit + 1}
  `.execute(ctx.db)
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    items: await describeLoggedModels(ctx.db, page),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor([last.id]) : null,
  }
})
