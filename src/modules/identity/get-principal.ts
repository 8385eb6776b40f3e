import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { identityFailure, tablesOf } from './tables.ts'

export const getPrincipal = handle(contract.getPrincipal, async (ctx, { principal }) => {
  const row = await tablesOf(ctx)
    .selectFrom('identity.principal')
    .select(['id', 'kind', 'name', 'created_at'])
    .where('id', '=', principal)
    .executeTakeFirst()
  if (row === undefined) throw identityFailure('principal_not_found', `Nobody here has the id ${principal}`)
  return { id: row.id, kind: row.kind, name: row.name, createdAt: row.created_at }
})
