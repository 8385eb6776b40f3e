import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type MonitorRow, monitorOf } from './tables.ts'

export const listMonitors = handle(contract.listMonitors, async (ctx, { limit, cursor, environment }) => {
  const [afterEnvironment, afterName] = decodeCursor(cursor, 2) ?? ['', '']
  const { rows } = await sql<MonitorRow>`
    select environment, name, spec, updated_at, evaluated_at from monitoring.monitor
    where (environment, name) > (${afterEnvironment}, ${afterName})
      and environment = coalesce(${environment ?? null}, environment)
    order by environment, name limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, monitorOf, (row) => [row.environment, row.name])
})
