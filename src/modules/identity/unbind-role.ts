import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { forgetAll } from './authenticate.ts'
import * as contract from './contract.ts'
import { identityFailure } from './tables.ts'

export const unbindRole = handle(contract.unbindRole, async (ctx, { binding }) => {
  const { rows } = await sql<{ principal: string; role: string; scope: Record<string, string> }>`
    delete from identity.role_binding where id = ${binding} returning principal, role, scope
  `.execute(ctx.db)
  const removed = rows[0]
  if (removed === undefined) throw identityFailure('role_binding_not_found', `There is no role binding ${binding}`)
  ctx.entry.subject('user', removed.principal)
  ctx.entry.facts({ role: removed.role, scope: removed.scope })
  ctx.afterCommit(() => forgetAll())
  return { removed: true as const }
})
