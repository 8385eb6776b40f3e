import { sql } from 'kysely'
import type { SearchSource } from '#platform/search-source.ts'

const monitors: SearchSource = {
  kind: 'monitor',
  verb: 'monitor:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ environment: string; name: string; endpoint: string }>`
      select environment, name, endpoint from monitoring.monitor where environment || '/' || name ilike ${pattern}
      order by name ilike substr(${pattern}, 2) desc, length(name), name, environment limit ${limit}
    `.execute(db)
    return rows.map(({ environment, name, endpoint }) => ({
      id: `${environment}/${name}`,
      title: `${environment}/${name}`,
      detail: `watches ${environment}/${endpoint}`,
      object: { environment, monitor: name },
    }))
  },
}

const findings: SearchSource = {
  kind: 'finding',
  verb: 'monitor:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ id: string; kind: string; feature: string | null; version: string; state: string }>`
      select id, kind, feature, version, state from monitoring.finding
      where id::text ilike ${pattern} or feature ilike ${pattern} or kind ilike ${pattern}
      order by raised_at desc, id limit ${limit}
    `.execute(db)
    return rows.map(({ id, kind, feature, version, state }) => ({
      id,
      title: `${kind.replaceAll('_', ' ')}${feature === null ? '' : ` of ${feature}`}`,
      detail: `${version}, ${state}`,
    }))
  },
}

export const search: readonly SearchSource[] = [monitors, findings]
