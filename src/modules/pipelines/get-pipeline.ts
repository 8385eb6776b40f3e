import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { requirePipeline } from './queries.ts'
import { pipelineOf } from './tables.ts'

export const getPipeline = handle(contract.getPipeline, async (ctx, { pipeline }) =>
  pipelineOf(await requirePipeline(ctx.db, pipeline)),
)
