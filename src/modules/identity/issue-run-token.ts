import { handle } from '#platform/context.ts'
import { platformFailure } from '#platform/errors.ts'
import * as contract from './contract.ts'
import { storeToken } from './store-token.ts'

export const issueRunToken = handle(contract.issueRunToken, async (ctx, { run, principal, expiresIn }) => {
  if (ctx.actor.kind !== 'system' && ctx.actor.id !== principal) {
    throw platformFailure('permission_denied', 'A run token acts for whoever starts the run, and for nobody else')
  }
  ctx.entry.subject('run', run)
  return storeToken(ctx, { principal, name: `run ${run}`, expiresIn, endpoints: [], run })
})
