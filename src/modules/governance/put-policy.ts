import { sql } from 'kysely'
import { canonicalJson } from '#platform/canonical-json.ts'
import { handle } from '#platform/context.ts'
import { PaveError } from '#platform/errors.ts'
import { checkExpression } from '#platform/expressions/check-expression.ts'
import { digestOf } from '#platform/ids.ts'
import * as contract from './contract.ts'
import { gateVariables } from './gates.ts'
import { findPolicy, governanceFailure, type PolicyRow, policyOf } from './policies.ts'

export const putPolicy = handle(contract.putPolicy, async (ctx, { policy, spec }) => {
  for (const rule of spec.rules) checkRule(rule.name, rule.check)
  const before = await findPolicy(ctx.db, policy, true)
  ctx.requireMatch(before?.spec)
  const digest = digestOf(canonicalJson(spec))
  const { rows } = await sql<PolicyRow>`
    insert into governance.policy (workspace, name, spec, digest, updated_at)
    values (${ctx.workspace}, ${policy}, ${JSON.stringify(spec)}::jsonb, ${digest}, ${ctx.clock.iso()})
    on conflict (workspace, name) do update
      set spec = excluded.spec, digest = excluded.digest,
          updated_at = case when governance.policy.digest = excluded.digest then governance.policy.updated_at else excluded.updated_at end
    returning name, spec, digest, updated_at
  `.execute(ctx.db)
  const [after] = rows
  if (after === undefined) throw new Error('an upsert answers its row')
  ctx.entry.subject('policy', policy)
  if (before !== undefined) ctx.entry.before(before.spec)
  ctx.entry.after(spec)
  ctx.entry.facts({ digest })
  return policyOf(after)
})

function checkRule(name: string, check: string): void {
  try {
    checkExpression(check, gateVariables, { expect: 'bool' })
  } catch (error) {
    if (!(error instanceof PaveError)) throw error
    throw governanceFailure('rule_invalid', `Rule ${name}: ${error.message}`, { hint: error.hint, cause: error })
  }
}
