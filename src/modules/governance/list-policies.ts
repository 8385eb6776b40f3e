import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type PolicyRow, policyOf } from './policies.ts'

export const listPolicies = handle(contract.listPolicies, async (ctx, { limit, cursor }) => {
  const [after] = decodeCursor(cursor, 1) ?? ['']
  const { rows } = await sql<PolicyRow>`
    select name, spec, digest, updated_at from governance.policy where name > ${after} order by name limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, policyOf, (row) => [row.name])
})
