import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findPolicy, governanceFailure, policyOf } from './policies.ts'

export const getPolicy = handle(contract.getPolicy, async (ctx, { policy }) => {
  const row = await findPolicy(ctx.db, policy)
  if (row === undefined) throw governanceFailure('policy_not_found', `There is no gate policy ${policy}`)
  return policyOf(row)
})
