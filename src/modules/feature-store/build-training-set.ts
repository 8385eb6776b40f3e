import { resolveDatasetVersion } from '#modules/datasets/queries.ts'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { resolvedService } from './queries.ts'
import { planTrainingSet } from './training-sql.ts'

export const buildTrainingSet = handle(contract.buildTrainingSet, async (ctx, input) => {
  const version = await resolveDatasetVersion(ctx.db, input.dataset)
  planTrainingSet({ input, version, ...(await resolvedService(ctx.db, input.featureService)) })
  const job = await ctx.startJob('build-training-set', { ...input, dataset: version.ref })
  ctx.entry.subject('feature-service', input.featureService)
  ctx.entry.subject('job', job)
  ctx.entry.facts({ dataset: version.ref, label: input.label })
  return { job }
})
