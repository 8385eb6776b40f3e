import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { tablesOf } from './tables.ts'

export const whoami = handle(contract.whoami, async (ctx) => {
  const workspace = await tablesOf(ctx)
    .selectFrom('identity.workspace')
    .select('name')
    .where('workspace', '=', ctx.workspace)
    .executeTakeFirstOrThrow()
  return {
    id: ctx.actor.id,
    kind: ctx.actor.kind,
    name: ctx.actor.name,
    workspace: { id: ctx.workspace, name: workspace.name },
    grants: ctx.actor.grants.map((grant) => ({ verbs: [...grant.verbs], scope: grant.scope })),
  }
})
