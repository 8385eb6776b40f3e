import { type Kysely, sql } from 'kysely'

/** The lists of files of all versions, removed ones too: a version that comes back has its files. */
export async function objectLists(system: Kysely<unknown>): Promise<string[]> {
  const { rows } = await sql<{ digest: string }>`
    select distinct content ->> 'files' as digest from registry.version where content ->> 'files' is not null
  `.execute(system)
  return rows.map(({ digest }) => digest)
}
