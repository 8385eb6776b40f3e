import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type MonitorRow, monitorOf } from './tables.ts'

interface Listed extends MonitorRow {
  open_findings: number
  evaluation: { at: string; version: string; predictions: number; breached: number } | null
}

export const listMonitors = handle(
  contract.listMonitors,
  async (ctx, { limit, cursor, environment, endpoint, search }) => {
    const [afterEnvironment, afterName] = decodeCursor(cursor, 2) ?? ['', '']
    const text = search?.toLowerCase() ?? ''
    // The page first, so that only its rows are looked into.
    const { rows } = await sql<Listed>`
    with page as (
      select environment, name, spec, updated_at, evaluated_at from monitoring.monitor
      where (environment, name) > (${afterEnvironment}, ${afterName})
        and environment = coalesce(${environment ?? null}, environment)
        and endpoint = coalesce(${endpoint ?? null}, endpoint)
        and (${text} = '' or strpos(environment || '/' || name || ' ' || endpoint, ${text}) > 0)
      order by environment, name limit ${limit + 1}
    )
    select page.*,
      (select count(*)::int from monitoring.finding f
       where f.environment = page.environment and f.monitor = page.name and f.state = 'open') as open_findings,
      (select jsonb_build_object(
         'at', e.body -> 'at', 'version', e.body -> 'version', 'predictions', e.body -> 'predictions',
         'breached', jsonb_array_length(jsonb_path_query_array(e.body, '$.metrics[*] ? (@.breached == true)')))
       from monitoring.evaluation e
       where e.environment = page.environment and e.monitor = page.name order by e.at desc limit 1) as evaluation
    from page order by environment, name
  `.execute(ctx.db)
    return pageFrom(
      rows,
      limit,
      (row) => ({ ...monitorOf(row), openFindings: row.open_findings, evaluation: row.evaluation }),
      (row) => [row.environment, row.name],
    )
  },
)
