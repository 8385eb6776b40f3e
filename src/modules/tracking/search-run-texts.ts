import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { describeRunTexts } from './describe-runs.ts'
import { findRuns } from './search-tracking-runs.ts'

export const searchRunTexts = handle(contract.searchRunTexts, async (ctx, input) => {
  const { runs, nextCursor } = await findRuns(ctx, input)
  return { items: await describeRunTexts(ctx.db, runs), nextCursor }
})
