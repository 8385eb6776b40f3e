import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { forgetAll } from './authenticate.ts'
import * as contract from './contract.ts'
import { principalByName } from './tables.ts'

/** Binding the same role in the same scope again answers the binding that is there. */
export const bindRole = handle(contract.bindRole, async (ctx, { principal, role, scope }) => {
  const { id: principalId } = await principalByName(ctx, principal)
  const { rows } = await sql<{ id: string }>`
    insert into identity.role_binding (workspace, id, principal, role, scope)
    values (${ctx.workspace}, ${ctx.ids.next()}, ${principalId}, ${role}, ${JSON.stringify(scope)}::jsonb)
    on conflict (workspace, principal, role, scope) do update set role = excluded.role
    returning id
  `.execute(ctx.db)
  const id = rows[0]?.id ?? ''
  ctx.entry.subject('user', principalId)
  ctx.entry.facts({ role, scope })
  ctx.afterCommit(() => forgetAll())
  return { id, principal, role, scope }
})
