import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { identityFailure, tablesOf } from './tables.ts'

/** The caller acts inside the workspace that is to be: its id is the new workspace's. */
export const createWorkspace = handle(contract.createWorkspace, async (ctx, { name }) => {
  const created = await tablesOf(ctx)
    .insertInto('identity.workspace')
    .values({ workspace: ctx.workspace, name, created_at: ctx.clock.iso() })
    .onConflict((conflict) => conflict.doNothing())
    .returning('name')
    .executeTakeFirst()
  if (created === undefined) throw identityFailure('workspace_exists', `There is a workspace ${name} already`)
  ctx.entry.subject('workspace', ctx.workspace)
  return { id: ctx.workspace, name }
})
