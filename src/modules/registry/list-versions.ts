import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { modelSpec } from './queries.ts'
import { type VersionRow, versionOf } from './tables.ts'

export const listVersions = handle(contract.listVersions, async (ctx, { model, limit, cursor }) => {
  await modelSpec(ctx.db, model)
  const [before] = decodeCursor(cursor, 1) ?? [2 ** 31 - 1]
  const { rows } = await sql<VersionRow>`
    select v.model, v.version, v.digest, v.content, v.author, v.registered_at,
           array(select a.alias from registry.alias a
                 where a.workspace = v.workspace and a.model = v.model and a.version = v.version order by 1) as aliases
    from registry.version v where v.model = ${model} and v.version < ${before}
    order by v.version desc limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, versionOf, (row) => [row.version])
})
