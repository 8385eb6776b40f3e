import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { incidentOf, incidentsFailure, requireIncident } from './tables.ts'

/** Its facts are what the mean times to mitigate and to resolve are read from. */
export const resolveIncident = handle(contract.resolveIncident, async (ctx, { incident, resolution }) => {
  const { id, state, opened_at, mitigated_at, severity } = await requireIncident(ctx.db, incident)
  if (state === 'resolved') throw incidentsFailure('incident_resolved', `${incident} is resolved already`)
  const now = ctx.clock.iso()
  await sql`
    update incidents.incident
    set state = 'resolved', resolved_at = ${now}, resolution = ${resolution},
        mitigated_at = coalesce(mitigated_at, ${now}::timestamptz)
    where id = ${id}
  `.execute(ctx.db)
  const secondsUntil = (instant: string) => (Date.parse(instant) - Date.parse(opened_at)) / 1000
  ctx.entry.subject('incident', id)
  ctx.entry.facts({
    incident,
    severity,
    openedAt: opened_at,
    secondsToMitigate: secondsUntil(mitigated_at ?? now),
    secondsToResolve: secondsUntil(now),
  })
  return incidentOf(await requireIncident(ctx.db, incident))
})
