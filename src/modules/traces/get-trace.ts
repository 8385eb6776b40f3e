import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { describeTrace, requireTrace } from './tables.ts'

export const getTrace = handle(contract.getTrace, async (ctx, { trace }) =>
  describeTrace(ctx.db, await requireTrace(ctx.db, trace)),
)
