import { sql } from 'kysely'
import type { SearchSource } from '#platform/search-source.ts'

const policies: SearchSource = {
  kind: 'policy',
  verb: 'policy:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ name: string }>`
      select name from governance.policy where name ilike ${pattern}
      order by name ilike substr(${pattern}, 2) desc, length(name), name limit ${limit}
    `.execute(db)
    return rows.map(({ name }) => ({ id: name, title: name, detail: '' }))
  },
}

export const search: readonly SearchSource[] = [policies]
