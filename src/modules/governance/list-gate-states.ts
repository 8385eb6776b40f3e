import { modelSpec, versionPage } from '#modules/registry/queries.ts'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { judge } from './gates.ts'
import { allPolicies } from './policies.ts'

export const listGateStates = handle(contract.listGateStates, async (ctx, input) => {
  const spec = await modelSpec(ctx.db, input.model)
  const policies = await allPolicies(ctx.db)
  const { items, nextCursor } = await versionPage(ctx.db, input)
  return {
    items: items.map((version) => {
      const rules = judge(policies, version, spec)
      const failed = rules.filter((rule) => !rule.passed).map(({ policy, rule }) => ({ policy, rule }))
      return { version: version.ref, passed: failed.length === 0, rules: rules.length, failed }
    }),
    nextCursor,
  }
})
