import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type RunRow, runColumns, runSummaryOf } from './tables.ts'

export const listRuns = handle(contract.listRuns, async (ctx, { limit, cursor, pipeline, state }) => {
  const [at, id] = decodeCursor(cursor, 2) ?? ['infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff']
  const { rows } = await sql<RunRow>`
    select ${runColumns}
    from pipelines.run
    where (created_at, id) < (${at}::timestamptz, ${id}::uuid)
      and (${pipeline ?? null}::text is null or pipeline = ${pipeline ?? null})
      and (${state ?? null}::text is null or state = ${state ?? null})
    order by created_at desc, id desc limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, runSummaryOf, (row) => [row.created_at, row.id])
})
