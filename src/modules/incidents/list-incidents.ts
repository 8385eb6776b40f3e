import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type IncidentRow, incidentColumns, incidentOf } from './tables.ts'

export const listIncidents = handle(
  contract.listIncidents,
  async (ctx, { limit, cursor, state, severity, ...where }) => {
    const [before] = decodeCursor(cursor, 1) ?? [2 ** 31 - 1]
    const text = where.search?.toLowerCase() ?? ''
    const { rows } = await sql<IncidentRow>`
    select ${incidentColumns} from incidents.incident
    where number < ${before} and state = coalesce(${state ?? null}, state)
      and severity = coalesce(${severity ?? null}, severity)
      and (${where.environment ?? null}::text is null or environment = ${where.environment ?? null})
      and (${where.endpoint ?? null}::text is null or endpoint = ${where.endpoint ?? null})
      and (${where.cause ?? null}::text is null or cause ->> 'id' = ${where.cause ?? null})
      and (${text} = '' or strpos(lower('INC-' || number || ' ' || title), ${text}) > 0)
    order by number desc limit ${limit + 1}
  `.execute(ctx.db)
    return pageFrom(rows, limit, incidentOf, (row) => [row.number])
  },
)
