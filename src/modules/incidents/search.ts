import { sql } from 'kysely'
import type { SearchSource } from '#platform/search-source.ts'

const incidents: SearchSource = {
  kind: 'incident',
  verb: 'incident:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ id: string; title: string; state: string }>`
      select 'INC-' || number as id, title, state from incidents.incident
      where 'INC-' || number ilike ${pattern} or title ilike ${pattern}
      order by opened_at desc, number desc limit ${limit}
    `.execute(db)
    return rows.map(({ id, title, state }) => ({ id, title: `${id} ${title}`, detail: state }))
  },
}

export const search: readonly SearchSource[] = [incidents]
