import { z } from 'zod'
import type { Version } from '#modules/registry/contract.ts'
import { modelSpec, resolveVersion } from '#modules/registry/queries.ts'
import type { Admission, AdmissionVoice } from '#platform/module.ts'
import { durationMs, VersionRef } from '#platform/names.ts'
import { appliesTo, judge, quorumOf } from './gates.ts'
import { allPolicies } from './policies.ts'

const Release = z.object({ version: VersionRef })

/** The gate of every release: failing rules refuse it, and the model's tier decides how many must approve. */
export const admitRelease: AdmissionVoice = async (ctx, _operation, input): Promise<Admission> => {
  const version = await resolveVersion(ctx.db, Release.parse(input).version)
  const model = await modelSpec(ctx.db, version.model)
  const policies = (await allPolicies(ctx.db)).filter(({ spec }) => appliesTo(spec, version.model, model.tier))
  const results = judge(policies, version, model)
  const gates = results.map(({ policy, rule, passed, values }) => ({ policy, rule, passed, values }))
  const failed = results.filter((result) => !result.passed)
  if (failed.length > 0) {
    return {
      verdict: 'deny',
      reasons: failed.map(({ rule, message, values, error }) => ({
        rule,
        message: error === null ? message : `${message} (${error})`,
        values,
      })),
      facts: { version: version.ref, gates },
    }
  }
  const quorum = quorumOf(policies, version.model, model.tier)
  if (quorum === 0) return { verdict: 'allow', facts: { gates } }
  return {
    verdict: 'pending',
    evidence: {
      version: version.ref,
      digest: version.digest,
      ...(version.artifact === null && { twin: twinOf(version) }),
      tier: model.tier,
      gates,
      policies: policies.map(({ policy, digest }) => ({ policy, digest })),
    },
    quorum,
    excluded: [
      ...new Set([version.author, ctx.actor.id, ...(ctx.actor.onBehalfOf === undefined ? [] : [ctx.actor.onBehalfOf])]),
    ],
    expiresInMs: Math.min(...policies.map(({ spec }) => durationMs(spec.approvalLifetime))),
  }
}

/** What would serve in place of a graph of its own: the version's digest does not say, and it can change. */
function twinOf({ twin }: Version) {
  if (twin?.state !== 'ready') return null
  return { artifact: twin.artifact, tolerance: twin.tolerance, difference: twin.report?.difference ?? null }
}
