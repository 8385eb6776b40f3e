import { sql } from 'kysely'
import type { SearchSource } from '#platform/search-source.ts'
import { versionsWithState } from './queries.ts'

const models: SearchSource = {
  kind: 'model',
  verb: 'model:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ name: string; description: string | null }>`
      select name, spec ->> 'description' as description from registry.model
      where removed_at is null
        and (name ilike ${pattern} or spec ->> 'description' ilike ${pattern} or spec ->> 'owner' ilike ${pattern})
      order by name ilike substr(${pattern}, 2) desc, name ilike ${pattern} desc, length(name), name limit ${limit}
    `.execute(db)
    return rows.map(({ name, description }) => ({
      id: name,
      title: name,
      detail: description ?? '',
      object: { model: name },
    }))
  },
}

/** `flight-delays@3`, or the digest of its content; by name alone the model is what one wants. */
const versions: SearchSource = {
  kind: 'version',
  verb: 'version:read',
  async find(db, pattern, limit) {
    if (!/@|sha256|[0-9a-f]{12}/.test(pattern)) return []
    const { rows } = await sql<{ model: string; version: number; registered_at: string }>`
      select v.model, v.version, v.registered_at from ${versionsWithState}
      where s.removed_at is null and (v.model || '@' || v.version ilike ${pattern} or v.digest ilike ${pattern})
      order by length(v.model), v.model, v.version desc limit ${limit}
    `.execute(db)
    return rows.map(({ model, version, registered_at: at }) => ({
      id: `${model}@${version}`,
      title: `${model}@${version}`,
      detail: `registered ${at.slice(0, 10)}`,
      object: { model },
    }))
  },
}

export const search: readonly SearchSource[] = [models, versions]
