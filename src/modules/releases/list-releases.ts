import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type ReleaseRow, releasesOf } from './tables.ts'

export const listReleases = handle(contract.listReleases, async (ctx, { environment, endpoint, limit, cursor }) => {
  const [at, id] = decodeCursor(cursor, 2) ?? ['infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff']
  const { rows } = await sql<ReleaseRow>`
    select * from releases.release
    where environment = ${environment} and endpoint = ${endpoint} and (started_at, id) < (${at}::timestamptz, ${id}::uuid)
    order by started_at desc, id desc limit ${limit + 1}
  `.execute(ctx.db)
  const { items, nextCursor } = pageFrom(
    rows,
    limit,
    (row) => row,
    (row) => [row.started_at, row.id],
  )
  return { items: await releasesOf(ctx.db, items), nextCursor }
})
