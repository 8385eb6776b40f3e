import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { featureNames } from './feature-names.ts'
import type { ServiceRow } from './tables.ts'

export const listFeatureServices = handle(contract.listFeatureServices, async (ctx, { limit, cursor }) => {
  const [after] = decodeCursor(cursor, 1) ?? ['']
  const { rows } = await sql<ServiceRow>`
    select name, spec, created_at from feature_store.service where name > ${after} order by name limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(
    rows,
    limit,
    (row) => ({
      featureService: row.name,
      spec: row.spec,
      features: featureNames(row.spec),
      createdAt: row.created_at,
    }),
    (row) => [row.name],
  )
})
