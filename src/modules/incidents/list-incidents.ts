import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type IncidentRow, incidentColumns, incidentOf } from './tables.ts'

export const listIncidents = handle(contract.listIncidents, async (ctx, { limit, cursor, state }) => {
  const [before] = decodeCursor(cursor, 1) ?? [2 ** 31 - 1]
  const { rows } = await sql<IncidentRow>`
    select ${incidentColumns} from incidents.incident
    where number < ${before} and state = coalesce(${state ?? null}, state)
    order by number desc limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, incidentOf, (row) => [row.number])
})
