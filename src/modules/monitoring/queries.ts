import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'

/** How many findings are open on each endpoint (`environment/endpoint`) of some environments; none is left out. */
export async function openFindingCounts(db: Db, environments: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql<{ environment: string; endpoint: string; open: number }>`
    select environment, endpoint, count(*)::int as open from monitoring.finding
    where environment = any(${[...environments]}) and state = 'open' group by environment, endpoint
  `.execute(db)
  return new Map(rows.map((row) => [`${row.environment}/${row.endpoint}`, row.open]))
}
