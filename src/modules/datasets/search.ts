import { sql } from 'kysely'
import type { SearchSource } from '#platform/search-source.ts'

const datasets: SearchSource = {
  kind: 'dataset',
  verb: 'dataset:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ name: string; last_version: number }>`
      select name, last_version from datasets.dataset where name ilike ${pattern}
      order by name ilike substr(${pattern}, 2) desc, length(name), name limit ${limit}
    `.execute(db)
    return rows.map(({ name, last_version: last }) => ({
      id: name,
      title: name,
      detail: last === 0 ? 'no version yet' : `${last} version${last === 1 ? '' : 's'}`,
      object: { dataset: name },
    }))
  },
}

/** `flights@2`; by name alone the dataset is what one wants. */
const versions: SearchSource = {
  kind: 'dataset-version',
  verb: 'dataset:read',
  async find(db, pattern, limit) {
    if (!pattern.includes('@')) return []
    const { rows } = await sql<{ dataset: string; version: number; registered_at: string }>`
      select dataset, version, registered_at from datasets.version where dataset || '@' || version ilike ${pattern}
      order by length(dataset), dataset, version desc limit ${limit}
    `.execute(db)
    return rows.map(({ dataset, version, registered_at: at }) => ({
      id: `${dataset}@${version}`,
      title: `${dataset}@${version}`,
      detail: `registered ${at.slice(0, 10)}`,
      object: { dataset },
    }))
  },
}

export const search: readonly SearchSource[] = [datasets, versions]
