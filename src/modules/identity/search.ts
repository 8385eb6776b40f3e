import { sql } from 'kysely'
import type { SearchSource } from '#platform/search-source.ts'

const principals: SearchSource = {
  kind: 'user',
  verb: 'user:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ id: string; title: string; detail: string }>`
      select id, name as title, kind as detail from identity.principal
      where name ilike ${pattern} or id::text ilike ${pattern}
      order by name ilike substr(${pattern}, 2) desc, length(name), name limit ${limit}
    `.execute(db)
    return rows
  },
}

export const search: readonly SearchSource[] = [principals]
