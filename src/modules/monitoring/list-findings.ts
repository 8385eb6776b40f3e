import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type FindingRow, findingColumns, findingOf } from './tables.ts'

const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

export const listFindings = handle(
  contract.listFindings,
  async (ctx, { limit, cursor, environment, monitor, endpoint, state, kind, feature }) => {
    const [before] = decodeCursor(cursor, 1) ?? [lastId]
    const { rows } = await sql<FindingRow>`
      select ${findingColumns} from monitoring.finding
      where id < ${before}::uuid
        and environment = coalesce(${environment ?? null}, environment)
        and monitor = coalesce(${monitor ?? null}, monitor)
        and endpoint = coalesce(${endpoint ?? null}, endpoint)
        and state = coalesce(${state ?? null}, state)
        and kind = coalesce(${kind ?? null}, kind)
        and (${feature ?? null}::text is null or feature = ${feature ?? null})
      order by id desc limit ${limit + 1}
    `.execute(ctx.db)
    return pageFrom(rows, limit, findingOf, (row) => [row.id])
  },
)
