import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom, textPattern } from '#platform/names.ts'
import * as contract from './contract.ts'
import { tablesOf } from './tables.ts'

export const listPrincipals = handle(contract.listPrincipals, async (ctx, { limit, cursor, kind, search }) => {
  const [after] = decodeCursor(cursor, 1) ?? ['']
  const rows = await tablesOf(ctx)
    .selectFrom('identity.principal')
    .$if(kind !== undefined, (all) => all.where('kind', '=', kind ?? 'user'))
    .$if(search !== undefined && search !== '', (all) => all.where('name', 'ilike', textPattern(search ?? '')))
    .select(['id', 'kind', 'name', 'created_at'])
    .where('name', '>', String(after))
    .orderBy('name')
    .limit(limit + 1)
    .execute()
  return pageFrom(
    rows,
    limit,
    ({ id, kind, name, created_at }) => ({ id, kind, name, createdAt: created_at }),
    (row) => [row.name],
  )
})
