import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { describeRun } from './describe-runs.ts'
import { requireRun } from './tables.ts'

export const getTrackingRun = handle(contract.getTrackingRun, async (ctx, { run }) =>
  describeRun(ctx.db, await requireRun(ctx.db, run)),
)
