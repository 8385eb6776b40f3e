import { modelSpec, resolveVersion } from '#modules/registry/queries.ts'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { judge, quorumOf } from './gates.ts'
import { allPolicies } from './policies.ts'

export const evaluateGates = handle(contract.evaluateGates, async (ctx, { version: ref }) => {
  const version = await resolveVersion(ctx.db, ref)
  const model = await modelSpec(ctx.db, version.model)
  const policies = await allPolicies(ctx.db)
  const rules = judge(policies, version, model)
  return {
    version: version.ref,
    passed: rules.every((rule) => rule.passed),
    rules,
    approvals: { quorum: quorumOf(policies, version.model, model.tier) },
  }
})
