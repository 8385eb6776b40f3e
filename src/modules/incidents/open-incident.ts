import { sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import * as contract from './contract.ts'
import { type IncidentRow, incidentColumns, incidentOf } from './tables.ts'

/** A cause has one incident: opening it again answers the one that is there. */
export const openIncident = handle(contract.openIncident, async (ctx, input) => {
  const { title, severity, environment, endpoint, cause, mitigated } = input
  // One opening at a time, so that numbers have no gaps.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`incidents ${ctx.workspace}`}, 0))`.execute(ctx.db)
  const known = await incidentOfCause(ctx, cause)
  if (known !== undefined) {
    ctx.entry.subject('incident', known.id)
    ctx.entry.facts({ incident: `INC-${known.number}`, alreadyOpen: true })
    return incidentOf(known)
  }
  const id = ctx.ids.next()
  const now = ctx.clock.iso()
  const { rows } = await sql<IncidentRow>`
    insert into incidents.incident (workspace, id, number, title, severity, state, environment, endpoint, cause, subjects,
                                    mitigated_at, opened_at)
    values (${ctx.workspace}, ${id}, (select coalesce(max(number), 0) + 1 from incidents.incident), ${title}, ${severity},
            'open', ${environment ?? null}, ${endpoint ?? null}, ${JSON.stringify(cause)}::jsonb,
            ${JSON.stringify([cause, ...input.subjects])}::jsonb, ${mitigated ? now : null}, ${now})
    returning ${incidentColumns}
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw new Error('an insert answers its row')
  ctx.entry.subject('incident', id)
  if (environment !== undefined && endpoint !== undefined) ctx.entry.subject('endpoint', `${environment}/${endpoint}`)
  ctx.entry.facts({ incident: `INC-${row.number}`, severity, cause, mitigated })
  return incidentOf(row)
})

async function incidentOfCause(ctx: OperationContext, { kind, id }: contract.Incident['cause']) {
  const { rows } = await sql<IncidentRow>`
    select ${incidentColumns} from incidents.incident where cause ->> 'kind' = ${kind} and cause ->> 'id' = ${id}
  `.execute(ctx.db)
  return rows[0]
}
