import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { defaultExperiment } from './default-experiment.ts'
import { experimentOf, findExperiment, trackingFailure } from './tables.ts'

export const getExperiment = handle(contract.getExperiment, async (ctx, { experiment }) => {
  const row = await findExperiment(ctx.db, Number(experiment))
  if (row !== undefined) return experimentOf(row)
  if (experiment === '0') return defaultExperiment()
  throw trackingFailure('experiment_not_found', `There is no experiment ${experiment}`)
})
