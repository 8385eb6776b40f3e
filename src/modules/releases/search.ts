import { sql } from 'kysely'
import type { SearchSource } from '#platform/search-source.ts'

const endpoints: SearchSource = {
  kind: 'endpoint',
  verb: 'endpoint:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ environment: string; name: string; version: string | null }>`
      select environment, name, version from releases.endpoint where environment || '/' || name ilike ${pattern}
      order by name ilike substr(${pattern}, 2) desc, length(name), name, environment limit ${limit}
    `.execute(db)
    return rows.map(({ environment, name, version }) => ({
      id: `${environment}/${name}`,
      title: `${environment}/${name}`,
      detail: version === null ? 'serves nothing yet' : `serves ${version}`,
      object: { environment, endpoint: name },
    }))
  },
}

const releases: SearchSource = {
  kind: 'release',
  verb: 'release:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ id: string; environment: string; endpoint: string; version: string; state: string }>`
      select id, environment, endpoint, version, state from releases.release
      where id::text ilike ${pattern} or version ilike ${pattern}
      order by started_at desc, id limit ${limit}
    `.execute(db)
    return rows.map(({ id, environment, endpoint, version, state }) => ({
      id,
      title: `${version} to ${environment}/${endpoint}`,
      detail: state,
      object: { environment, endpoint },
    }))
  },
}

export const search: readonly SearchSource[] = [endpoints, releases]
