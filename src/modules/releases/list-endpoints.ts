import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { describeEndpoint } from './describe-endpoint.ts'
import type { EndpointRow } from './tables.ts'

export const listEndpoints = handle(contract.listEndpoints, async (ctx, { limit, cursor }) => {
  const [environment, name] = decodeCursor(cursor, 2) ?? ['', '']
  const { rows } = await sql<EndpointRow>`
    select environment, name, spec, salt, version, release from releases.endpoint
    where (environment, name) > (${environment}, ${name}) order by environment, name limit ${limit + 1}
  `.execute(ctx.db)
  const page = pageFrom(
    rows,
    limit,
    (row) => row,
    (row) => [row.environment, row.name],
  )
  const items: contract.Endpoint[] = []
  for (const row of page.items) items.push(await describeEndpoint(ctx.db, row))
  return { items, nextCursor: page.nextCursor }
})
