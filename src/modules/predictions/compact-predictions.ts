import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'

export const compactPredictions = handle(contract.compactPredictions, async (ctx) => ({
  job: await ctx.startJob('compact-predictions', {}),
}))
