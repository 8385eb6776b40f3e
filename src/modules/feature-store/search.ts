import { sql } from 'kysely'
import type { SearchSource } from '#platform/search-source.ts'

const views: SearchSource = {
  kind: 'feature-view',
  verb: 'feature:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ name: string; entity: string; dataset: string }>`
      select name, entity, dataset from feature_store.view where name ilike ${pattern}
      order by name ilike substr(${pattern}, 2) desc, length(name), name limit ${limit}
    `.execute(db)
    return rows.map(({ name, entity, dataset }) => ({
      id: name,
      title: name,
      detail: `of ${entity}, from ${dataset}`,
      object: { view: name },
    }))
  },
}

const services: SearchSource = {
  kind: 'feature-service',
  verb: 'feature:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ name: string }>`
      select name from feature_store.service where name ilike ${pattern}
      order by name ilike substr(${pattern}, 2) desc, length(name), name limit ${limit}
    `.execute(db)
    return rows.map(({ name }) => ({ id: name, title: name, detail: '', object: { featureService: name } }))
  },
}

export const search: readonly SearchSource[] = [views, services]
