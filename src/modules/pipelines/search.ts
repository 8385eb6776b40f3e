import { sql } from 'kysely'
import type { SearchSource } from '#platform/search-source.ts'

const pipelines: SearchSource = {
  kind: 'pipeline',
  verb: 'pipeline:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ name: string }>`
      select name from pipelines.pipeline where name ilike ${pattern}
      order by name ilike substr(${pattern}, 2) desc, length(name), name limit ${limit}
    `.execute(db)
    return rows.map(({ name }) => ({ id: name, title: name, detail: '', object: { pipeline: name } }))
  },
}

const runs: SearchSource = {
  kind: 'run',
  verb: 'run:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ id: string; pipeline: string; state: string; reason: string }>`
      select id, pipeline, state, reason from pipelines.run where id::text ilike ${pattern} or reason ilike ${pattern}
      order by created_at desc, id limit ${limit}
    `.execute(db)
    return rows.map(({ id, pipeline, state, reason }) => ({ id, title: `${pipeline}, ${state}`, detail: reason || id }))
  },
}

export const search: readonly SearchSource[] = [pipelines, runs]
