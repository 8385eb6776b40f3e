import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { incidentOf, requireIncident } from './tables.ts'
import { readTimeline } from './timeline.ts'

export const getIncident = handle(contract.getIncident, async (ctx, { incident }) => {
  const row = await requireIncident(ctx.db, incident)
  return { ...incidentOf(row), timeline: await readTimeline(ctx, row) }
})
