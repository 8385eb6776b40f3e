import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'

export const listRoleBindings = handle(contract.listRoleBindings, async (ctx, { limit, cursor, principal }) => {
  const [name, id] = decodeCursor(cursor, 2) ?? ['', '00000000-0000-0000-0000-000000000000']
  const { rows } = await sql<{ id: string; name: string; role: contract.Role; scope: Record<string, string> }>`
    select b.id, p.name, b.role, b.scope
    from identity.role_binding b join identity.principal p on p.workspace = b.workspace and p.id = b.principal
    where (p.name, b.id) > (${name}, ${id}::uuid) and (${principal ?? null}::text is null or p.name = ${principal ?? null})
    order by p.name, b.id limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(
    rows,
    limit,
    (row) => ({ id: row.id, principal: row.name, role: row.role, scope: row.scope }),
    (row) => [row.name, row.id],
  )
})
