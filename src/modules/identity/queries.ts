import { sql } from 'kysely'
import type { Platform } from '#platform/platform.ts'
import type { Db } from '#platform/storage/database/database.ts'

export async function listWorkspaces(platform: Platform): Promise<Array<{ id: string; name: string }>> {
  const { rows } = await sql<{ id: string; name: string }>`
    select workspace as id, name from identity.workspace order by created_at, workspace
  `.execute(platform.system)
  return rows
}

/** Names of principals, for people to read; ids that are nobody's are left out. */
export async function principalNames(db: Db, ids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; name: string }>`
    select id, name from identity.principal where id = any(${[...ids]}::uuid[])
  `.execute(db)
  return new Map(rows.map((row) => [row.id, row.name]))
}

export async function principalExists(db: Db, name: string): Promise<boolean> {
  const { rows } = await sql`select 1 from identity.principal where name = ${name}`.execute(db)
  return rows.length > 0
}

/** Ids of a principal's tokens of one name that were not revoked. */
export async function validTokens(db: Db, principal: string, name: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select t.id from identity.token t
    join identity.principal p on p.workspace = t.workspace and p.id = t.principal
    where p.name = ${principal} and t.name = ${name} and t.revoked_at is null
  `.execute(db)
  return rows.map((row) => row.id)
}

/** Tokens that may ask an environment's endpoints for predictions; expired and revoked ones are left out. */
export async function servingKeys(
  db: Db,
  environment: string,
  now: string,
): Promise<Array<{ id: string; hash: string; endpoints: string[]; expiresAt: string | null }>> {
  const { rows } = await sql<{ id: string; hash: string; endpoints: string[]; expires_at: string | null }>`
    select id, hash, endpoints, expires_at from identity.token
    where cardinality(endpoints) > 0 and revoked_at is null and (expires_at is null or expires_at > ${now}) order by id
  `.execute(db)
  return rows.flatMap((row) => {
    const endpoints = row.endpoints.flatMap((name) => {
      if (name === '*') return ['*']
      return name.startsWith(`${environment}/`) ? [name.slice(environment.length + 1)] : []
    })
    return endpoints.length === 0 ? [] : [{ id: row.id, hash: row.hash, endpoints, expiresAt: row.expires_at }]
  })
}

/**
 * What is known of a name that a node wants: where it has the role of a node (null for any other role), and whether it
 * still has a token. Of two who want it at once, the second sees what the first made of it.
 */
export async function nodeStanding(
  db: Db,
  name: string,
  now: string,
): Promise<{ kind: string; environments: (string | null)[]; validTokens: number } | undefined> {
  await sql`select 1 from identity.principal where name = ${name} for no key update`.execute(db)
  const { rows } = await sql<{ kind: string; environments: (string | null)[]; validTokens: number }>`
    select p.kind,
           coalesce((select jsonb_agg(case when b.role = 'node' then b.scope ->> 'environment' end)
                     from identity.role_binding b
                     where b.workspace = p.workspace and b.principal = p.id), '[]') as environments,
           (select count(*)::int from identity.token t
            where t.workspace = p.workspace and t.principal = p.id and t.revoked_at is null
              and (t.expires_at is null or t.expires_at > ${now})) as "validTokens"
    from identity.principal p where p.name = ${name}
  `.execute(db)
  return rows[0]
}
