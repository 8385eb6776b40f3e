import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { startupFailure } from '../../startup-error.ts'
import { sessionOf } from './database.ts'

const roleNames = ['pave_owner', 'pave_app', 'pave_system', 'pave_jobs']

/** What PostgreSQL says when two sessions change a catalog of the whole cluster at once. */
const collisions = new Set(['23505', '42710', 'XX000', '40001'])
const mostAttempts = 20

/** What PostgreSQL says to a login that may not. */
const notAllowed = '42501'

/**
 * Makes what is missing of the roles and of the login's membership in them. A login that may not do that finds them made
 * by an administrator, or is told what the administrator has to run. Roles are the cluster's and an advisory lock is a
 * database's, so whoever collides with another database's migration tries again.
 */
export async function prepareRoles(url: string): Promise<void> {
  const client = await connect(url)
  try {
    for (let attempt = 1; ; attempt++) {
      const missing = await missingStatements(client)
      if (missing.length === 0) return
      try {
        return void (await client.query(missing.join(';\n')))
      } catch (error) {
        const code = error instanceof pg.DatabaseError ? error.code : undefined
        if (code === notAllowed) throw rolesMissing(missing, error)
        if (!collisions.has(code ?? '') || attempt === mostAttempts) throw error
        await setTimeout(10 * attempt)
      }
    }
  } finally {
    await client.end()
  }
}

/** What an administrator of the server would run for this login in this database, less what is done already. */
async function missingStatements(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ statement: string }>(
    `with wanted as (
       select name, (select oid from pg_roles where rolname = name) as role from unnest($1::text[]) as name
     )
     select format('create role %I nologin', name) as statement from wanted where role is null
     union all
     select 'alter role pave_system bypassrls'
     where not coalesce((select rolbypassrls from pg_roles where rolname = 'pave_system'), false)
     union all
     select format('grant %I to %I', name, current_user) from wanted
     where role is null or not pg_has_role(current_user, role,
       case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end)
     union all
     select format('grant create on database %I to %I', current_database(), name) from wanted
     where name in ('pave_owner', 'pave_jobs')
       and (role is null or not has_database_privilege(role, current_database(), 'create'))`,
    [roleNames],
  )
  return rows.map((row) => row.statement)
}

function rolesMissing(statements: readonly string[], cause: unknown) {
  return startupFailure(
    'database_roles_missing',
    `The login of DATABASE_URL may not make the roles that Pave works with: ${String(cause)}`,
    {
      hint: `Have an administrator of the server run this once:\n${statements.map((one) => `  ${one};`).join('\n')}`,
      cause,
    },
  )
}

async function connect(url: string): Promise<pg.Client> {
  try {
    const client = new pg.Client(sessionOf(url, undefined))
    client.on('error', () => {})
    await client.connect()
    return client
  } catch (cause) {
    throw startupFailure('database_unreachable', `No session can be opened with PostgreSQL: ${String(cause)}`, {
      cause,
    })
  }
}
