import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { identityFailure, tablesOf } from './tables.ts'

export const createPrincipal = handle(contract.createPrincipal, async (ctx, { kind, name, role, scope }) => {
  const principal = { id: ctx.ids.next(), kind, name, createdAt: ctx.clock.iso() }
  const created = await tablesOf(ctx)
    .insertInto('identity.principal')
    .values({ workspace: ctx.workspace, id: principal.id, kind, name, created_at: principal.createdAt })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  if (created === undefined) throw identityFailure('principal_exists', `Somebody here is called ${name} already`)
  ctx.entry.subject('user', principal.id)
  if (role !== undefined) await ctx.call(contract.bindRole, { principal: name, role, scope })
  return principal
})
