import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { versionColumns, versionsWithState } from './queries.ts'
import { compileSearch, versionWords } from './search-predicate.ts'
import { type VersionRow, versionOf } from './tables.ts'

export const searchVersions = handle(contract.searchVersions, async (ctx, input) => {
  const { models = null, latest, limit } = input
  const search = compileSearch(versionWords, input, [
    { key: 'name', descending: false },
    { key: 'version_number', descending: true },
  ])
  const wanted = sql`s.removed_at is null and (${models}::text[] is null or v.model = any(${models}::text[]))`
  const newest = sql`(v.model, v.version) in (
    select v.model, max(v.version) from ${versionsWithState} where ${wanted}
    group by v.model, coalesce(s.stage, 'none')
  )`
  const { rows } = await sql<VersionRow & { keys: (string | number)[] }>`
    select ${versionColumns}, ${search.keys} from ${versionsWithState}
    where ${wanted} and ${search.matches} and ${search.beyondCursor} and ${latest ? newest : sql`true`}
    order by ${search.orderBy} limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, versionOf, (row) => row.keys)
})
