import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom, textPattern } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type PolicyRow, policyOf } from './policies.ts'

export const listPolicies = handle(contract.listPolicies, async (ctx, { limit, cursor, search }) => {
  const [after] = decodeCursor(cursor, 1) ?? ['']
  const pattern = search === undefined || search === '' ? null : textPattern(search)
  const { rows } = await sql<PolicyRow>`
    select name, spec, digest, updated_at from governance.policy
    where name > ${after}
      and (${pattern}::text is null or name ilike ${pattern} or spec ->> 'description' ilike ${pattern})
    order by name limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, policyOf, (row) => [row.name])
})
