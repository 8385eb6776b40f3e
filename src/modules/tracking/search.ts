import { sql } from 'kysely'
import type { SearchSource } from '#platform/search-source.ts'

const experiments: SearchSource = {
  kind: 'experiment',
  verb: 'experiment:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ id: number; name: string; folder: string }>`
      select id, name, folder from tracking.experiment where name ilike ${pattern} and state = 'active'
      order by name ilike substr(${pattern}, 2) desc, length(name), name limit ${limit}
    `.execute(db)
    return rows.map(({ id, name, folder }) => ({
      id: String(id),
      title: name,
      detail: folder === '' ? '' : `in ${folder}`,
      object: { experiment: String(id) },
    }))
  },
}

/** Clients of MLflow write a run's id without dashes. */
const runs: SearchSource = {
  kind: 'tracking-run',
  verb: 'run:read',
  async find(db, pattern, limit) {
    const { rows } = await sql<{ id: string; name: string; status: string; experiment: string }>`
      select r.id, r.name, r.status, e.name as experiment
      from tracking.run r join tracking.experiment e on e.workspace = r.workspace and e.id = r.experiment
      where r.state = 'active'
        and (r.name ilike ${pattern} or r.id::text ilike ${pattern} or replace(r.id::text, '-', '') ilike ${pattern})
      order by r.started_at desc, r.id limit ${limit}
    `.execute(db)
    return rows.map(({ id, name, status, experiment }) => ({
      id,
      title: name === '' ? id : name,
      detail: `${status.toLowerCase()}, in ${experiment}`,
    }))
  },
}

export const search: readonly SearchSource[] = [experiments, runs]
