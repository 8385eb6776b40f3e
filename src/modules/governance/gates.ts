import type { ModelSpec, Version } from '#modules/registry/contract.ts'
import { checkExpression } from '#platform/expressions/check-expression.ts'
import { evaluate } from '#platform/expressions/evaluate-expression.ts'
import { defineVariables } from '#platform/expressions/types.ts'
import type { GatePolicySpec, RuleResult } from './contract.ts'

/** What gate rules may speak of. A metric that a version lacks is an error of the rule, and so a failure. */
export const gateVariables = defineVariables({
  version: {
    fields: {
      ref: 'string',
      number: 'int',
      metrics: { map: 'double' },
      baseline: { map: 'double' },
      /** The lowest value of each metric over all slices. */
      worst_slice: { map: 'double' },
      slices: 'int',
      features: 'int',
      has_profile: 'bool',
      has_training_set: 'bool',
      has_run: 'bool',
    },
  },
  model: { fields: { name: 'string', owner: 'string', tier: 'int', task: 'string' } },
})

export interface NamedPolicy {
  policy: string
  spec: GatePolicySpec
  digest: string
}

export function appliesTo(spec: GatePolicySpec, model: string, tier: number): boolean {
  const { models, tiers } = spec.appliesTo
  return (models.length === 0 || models.includes(model)) && (tiers.length === 0 || tiers.includes(tier))
}

/** Every rule of every policy that applies, evaluated: pure, so that past releases can be judged again. */
export function judge(policies: readonly NamedPolicy[], version: Version, model: ModelSpec): RuleResult[] {
  const values = {
    version: {
      ref: version.ref,
      number: version.version,
      metrics: version.metrics,
      baseline: version.baseline?.metrics ?? {},
      worst_slice: worstSlice(version),
      slices: version.slices.length,
      features: version.features.length,
      has_profile: version.profile.length > 0,
      has_training_set: version.trainingSet !== null,
      has_run: version.run !== null,
    },
    model: { name: version.model, owner: model.owner, tier: model.tier, task: model.task },
  }
  return policies
    .filter(({ spec }) => appliesTo(spec, version.model, model.tier))
    .flatMap(({ policy, spec }) =>
      spec.rules.map((rule): RuleResult => {
        const result = evaluate(checkExpression(rule.check, gateVariables, { expect: 'bool' }), values)
        return {
          policy,
          rule: rule.name,
          passed: result.ok && result.value === true,
          check: rule.check,
          message: rule.message,
          values: valuesRead(rule.check, values),
          error: result.ok ? null : result.error.message,
        }
      }),
    )
}

/** Approvals that the policies ask of a model's tier: the highest quorum counts. */
export function quorumOf(policies: readonly NamedPolicy[], model: string, tier: number): number {
  const wanted = policies
    .filter(({ spec }) => appliesTo(spec, model, tier))
    .flatMap(({ spec }) => spec.approvals.filter((one) => one.tiers.includes(tier)).map((one) => one.quorum))
  return Math.max(0, ...wanted)
}

function worstSlice(version: Version): Record<string, number> {
  const worst: Record<string, number> = {}
  for (const { metrics } of version.slices) {
    for (const [name, value] of Object.entries(metrics)) worst[name] = Math.min(worst[name] ?? value, value)
  }
  return worst
}

/** The paths such as `version.metrics.auc` that stand in the text, with their values. */
function valuesRead(check: string, values: object): Record<string, unknown> {
  const read: Record<string, unknown> = {}
  for (const [path] of check.matchAll(/\b(version|model)(\.[a-z_]\w*)+/g)) {
    let value: unknown = values
    for (const part of path.split('.')) {
      value =
        typeof value === 'object' && value !== null
          ? new Map<string, unknown>(Object.entries(value)).get(part)
          : undefined
    }
    read[path] = value ?? null
  }
  return read
}
