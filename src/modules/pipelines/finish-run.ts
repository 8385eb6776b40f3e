import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { endRun } from './end-run.ts'
import { requireRun } from './queries.ts'

export const finishRun = handle(contract.finishRun, async (ctx, { run: id, state, error }) => {
  const run = await requireRun(ctx.db, id)
  ctx.entry.subject('run', id)
  ctx.entry.subject('pipeline', run.pipeline)
  return { run: id, state: await endRun(ctx, id, { state, error }) }
})
