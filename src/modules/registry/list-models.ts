import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type ModelRow, modelOf } from './tables.ts'

export const listModels = handle(contract.listModels, async (ctx, { limit, cursor }) => {
  const [after] = decodeCursor(cursor, 1) ?? ['']
  const { rows } = await sql<ModelRow>`
    select name, spec, last_version, created_at from registry.model
    where name > ${after} order by name limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, modelOf, (row) => [row.name])
})
