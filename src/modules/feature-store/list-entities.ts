import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type EntityRow, entityOf } from './tables.ts'

export const listEntities = handle(contract.listEntities, async (ctx, { limit, cursor }) => {
  const [after] = decodeCursor(cursor, 1) ?? ['']
  const { rows } = await sql<EntityRow>`
    select name, spec, created_at from feature_store.entity where name > ${after} order by name limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, entityOf, (row) => [row.name])
})
