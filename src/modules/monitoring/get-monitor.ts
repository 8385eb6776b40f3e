import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findMonitor, monitoringFailure, monitorOf } from './tables.ts'

export const getMonitor = handle(contract.getMonitor, async (ctx, { environment, monitor }) => {
  const row = await findMonitor(ctx.db, environment, monitor)
  if (row === undefined) {
    throw monitoringFailure('monitor_not_found', `The environment ${environment} has no monitor ${monitor}`)
  }
  return monitorOf(row)
})
