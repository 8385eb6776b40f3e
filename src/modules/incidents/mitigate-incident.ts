import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { incidentOf, incidentsFailure, requireIncident } from './tables.ts'

/** The first time counts: saying it again changes nothing. */
export const mitigateIncident = handle(contract.mitigateIncident, async (ctx, { incident, how }) => {
  const { id, state, opened_at, mitigated_at } = await requireIncident(ctx.db, incident)
  if (state === 'resolved') throw incidentsFailure('incident_resolved', `${incident} is resolved already`)
  const now = ctx.clock.iso()
  await sql`
    update incidents.incident set mitigated_at = coalesce(mitigated_at, ${now}::timestamptz) where id = ${id}
  `.execute(ctx.db)
  ctx.entry.subject('incident', id)
  ctx.entry.facts({
    incident,
    how,
    secondsToMitigate: (Date.parse(mitigated_at ?? now) - Date.parse(opened_at)) / 1000,
  })
  return incidentOf(await requireIncident(ctx.db, incident))
})
