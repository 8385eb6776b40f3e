import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { datasetSpec } from './queries.ts'
import { type VersionRow, versionOf } from './tables.ts'

export const listDatasetVersions = handle(contract.listDatasetVersions, async (ctx, { dataset, limit, cursor }) => {
  await datasetSpec(ctx.db, dataset)
  const [before] = decodeCursor(cursor, 1) ?? [2 ** 31 - 1]
  const { rows } = await sql<VersionRow>`
    select dataset, version, content, registered_at from datasets.version
    where dataset = ${dataset} and version < ${before} order by version desc limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, versionOf, (row) => [row.version])
})
