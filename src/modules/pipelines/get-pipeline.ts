import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { describePlan } from './follow-steps.ts'
import { requirePipeline } from './queries.ts'
import { pipelineOf } from './tables.ts'

export const getPipeline = handle(contract.getPipeline, async (ctx, { pipeline }) => {
  const row = await requirePipeline(ctx.db, pipeline)
  return { ...pipelineOf(row), plan: describePlan(row.spec) }
})
