import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type DatasetRow, datasetOf } from './tables.ts'

export const listDatasets = handle(contract.listDatasets, async (ctx, { limit, cursor }) => {
  const [after] = decodeCursor(cursor, 1) ?? ['']
  const { rows } = await sql<DatasetRow>`
    select name, spec, contract_digest, last_version, created_at from datasets.dataset
    where name > ${after} order by name limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, datasetOf, (row) => [row.name])
})
