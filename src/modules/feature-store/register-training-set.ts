import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findView } from './queries.ts'

export const registerTrainingSet = handle(contract.registerTrainingSet, async (ctx, { views, ...trainingSet }) => {
  const { digest, dataset, featureService, rows, features, label } = trainingSet
  ctx.entry.subject('training-set', digest)
  ctx.entry.subject('object', digest)
  ctx.entry.input('dataset-version', dataset)
  ctx.entry.input('feature-service', featureService)
  for (const view of views) {
    const row = await findView(ctx.db, view)
    if (row !== undefined) ctx.entry.input('feature-view', `${view}@${row.version}`)
  }
  ctx.entry.output('training-set', digest)
  ctx.entry.facts({ rows, features, label })
  return trainingSet
})
