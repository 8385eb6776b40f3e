import { handle } from '#platform/context.ts'
import { describeRetention } from './retention.ts'
import { findExperiment, trackingFailure } from './tables.ts'
import * as contract from './trash-contract.ts'

export const getRetention = handle(contract.getRetention, async (ctx, { experiment }) => {
  const id = Number(experiment)
  if (id !== 0 && (await findExperiment(ctx.db, id)) === undefined) {
    throw trackingFailure('experiment_not_found', `There is no experiment ${experiment}`)
  }
  return describeRetention(ctx.db, id)
})
