import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { endRun } from './end-run.ts'
import { requireRun } from './queries.ts'
import { pipelinesFailure } from './tables.ts'

/** The run is cancelled when this answers; its attempts are ended right after. */
export const cancelRun = handle(contract.cancelRun, async (ctx, { run: id, reason }) => {
  const run = await requireRun(ctx.db, id)
  if (run.state !== 'queued' && run.state !== 'running') {
    throw pipelinesFailure('run_ended', `Run ${id} is ${run.state} already`)
  }
  const state = await endRun(ctx, id, { state: 'cancelled', error: null })
  await ctx.cancelJob(run.job)
  ctx.entry.subject('run', id)
  ctx.entry.subject('pipeline', run.pipeline)
  ctx.entry.facts({ reason })
  return { run: id, state }
})
