import { z } from 'zod'
import { defineErrors } from '#platform/errors.ts'
import { Digest, Identifier, Instant, listInput, ModelName, Name, pageOf, VersionRef } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

const Tier = z.int().min(1).max(4)

export const GatePolicySpec = z.strictObject({
  description: z.string().max(4000).default(''),
  /** Both lists empty: every model. */
  appliesTo: z
    .strictObject({ models: z.array(ModelName).max(1000).default([]), tiers: z.array(Tier).max(4).default([]) })
    .default({ models: [], tiers: [] }),
  rules: z
    .array(
      z.strictObject({
        name: Identifier,
        /** CEL over `version` and `model`; see docs/reference/gates.md. A rule that cannot be evaluated fails. */
        check: z.string().min(1).max(2000),
        message: z.string().min(1).max(500),
      }),
    )
    .min(1)
    .max(100),
  approvals: z
    .array(
      z.strictObject({
        tiers: z.array(Tier).min(1).max(4),
        quorum: z.int().min(1).max(10).default(1),
      }),
    )
    .max(10)
    .default([]),
  /** How long a request waits for its approvals. */
  approvalLifetime: z.enum(['1d', '3d', '7d', '30d']).default('7d'),
})
export type GatePolicySpec = z.infer<typeof GatePolicySpec>

const GatePolicy = z.object({ policy: Name, spec: GatePolicySpec, digest: Digest, updatedAt: Instant })

export const putPolicy = operation({
  name: 'put-policy',
  method: 'PUT',
  path: '/api/v1/policies/:policy',
  summary: 'Declare what a version must show before it is released, and who must approve',
  effect: 'write',
  permission: { verb: 'policy:put', on: [] },
  manifest: { kind: 'GatePolicy', read: 'get-policy', after: ['Model'] },
  errors: ['rule_invalid'],
  input: z.object({ policy: Name, spec: GatePolicySpec }),
  output: GatePolicy,
})

export const getPolicy = operation({
  name: 'get-policy',
  method: 'GET',
  path: '/api/v1/policies/:policy',
  summary: 'Read a gate policy',
  effect: 'read',
  permission: { verb: 'policy:read', on: [] },
  errors: ['policy_not_found'],
  input: z.object({ policy: Name }),
  output: GatePolicy,
})

export const listPolicies = operation({
  name: 'list-policies',
  method: 'GET',
  path: '/api/v1/policies',
  summary: 'List gate policies',
  effect: 'read',
  permission: { verb: 'policy:read', on: [] },
  errors: [],
  input: z.object({
    ...listInput,
    search: z.string().max(200).optional().describe('Part of the name or the description'),
  }),
  output: pageOf(GatePolicy),
})

export const RuleResult = z.object({
  policy: Name,
  rule: z.string(),
  passed: z.boolean(),
  check: z.string(),
  message: z.string(),
  /** The values that the rule read, so that a failure can be understood without the version at hand. */
  values: z.record(z.string(), z.unknown()),
  error: z.string().nullable(),
})
export type RuleResult = z.infer<typeof RuleResult>

export const evaluateGates = operation({
  name: 'evaluate-gates',
  method: 'GET',
  path: '/api/v1/versions/:version/gates',
  summary: 'Show which gate rules a version passes, with the numbers',
  effect: 'read',
  permission: { verb: 'version:read', on: [] },
  errors: ['version_not_found'],
  input: z.object({ version: VersionRef }),
  output: z.object({
    version: z.string(),
    passed: z.boolean(),
    rules: z.array(RuleResult),
    approvals: z.object({ quorum: z.int() }),
  }),
})

export const listGateStates = operation({
  name: 'list-gate-states',
  method: 'GET',
  path: '/api/v1/models/:model/gates',
  summary: "Say of a model's versions, newest first, whether they pass the gates of today, and which rules they fail",
  effect: 'read',
  permission: { verb: 'version:read', on: ['model'] },
  errors: ['model_not_found'],
  input: z.object({ model: ModelName, ...listInput }),
  output: pageOf(
    z.object({
      version: z.string(),
      passed: z.boolean(),
      rules: z.int(),
      failed: z.array(RuleResult.pick({ policy: true, rule: true })),
    }),
  ),
})

export const exportEvidence = operation({
  name: 'export-evidence',
  method: 'GET',
  path: '/api/v1/versions/:version/evidence',
  summary: 'Gather the evidence of a version: data, features, run, gates, approvals, releases, with ledger positions',
  effect: 'read',
  recorded: true,
  permission: { verb: 'version:read', on: [] },
  errors: ['version_not_found'],
  input: z.object({ version: VersionRef }),
  output: z.object({
    version: z.string(),
    digest: Digest,
    generatedAt: Instant,
    document: z.record(z.string(), z.unknown()),
    markdown: z.string(),
  }),
})

export const errors = defineErrors({
  policy_not_found: {
    status: 404,
    summary: 'No gate policy has this name.',
    hint: 'Declare it in a manifest of kind GatePolicy; list what exists with `pave list-policies`.',
  },
  rule_invalid: {
    status: 422,
    summary: 'A gate rule is not a valid expression over the version and the model.',
    hint: 'Rules are CEL that yields a bool, such as version.metrics.auc >= version.baseline.auc + 0.02.',
  },
})
