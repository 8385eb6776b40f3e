import { setTimeout } from 'node:timers/promises'
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely'
import pg from 'pg'

/** The roles of one database: each pool takes one, so that a slip in one place cannot do another's work. */
export type Role = 'pave_owner' | 'pave_app' | 'pave_system' | 'pave_jobs'

/** A transaction with no tables in sight; a module adds its own with `withTables`. */
export type Db = Transaction<unknown>

// Timestamps are ISO 8601 strings everywhere in Pave, and counters are numbers: a count beyond 2^53 would be a bug.
const types = new pg.TypeOverrides()
types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} does not fit a number`)
  return value
})
types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => new Date(text).toISOString())

/** A pool whose sessions run as `role`; `url` names a login that is a member of it. */
export function openPool(
  url: string,
  role: Role | undefined,
  options: { max: number; onError: (error: Error) => void; applicationName?: string },
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max,
    types,
    application_name: options.applicationName ?? `pave${role ? ` ${role}` : ''}`,
    ...(role && { options: optionsOf(role) }),
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 10_000,
  })
  // A server that ends a session must not end this process; whoever uses the session is told by its query.
  pool.on('error', (error) => {
    // The pool hangs the whole client on it, which no log should hold.
    Reflect.deleteProperty(error, 'client')
    if (!pool.ending) options.onError(error)
  })
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/**
 * A request waits for no lock longer than its client would, and a transaction that was forgotten ends by itself: while
 * it is open, nothing younger can be sealed.
 */
function optionsOf(role: Role): string {
  const limits = role === 'pave_app' ? ' -c lock_timeout=15s -c idle_in_transaction_session_timeout=60s' : ''
  return `-c role=${role}${limits}`
}

export function openKysely(pool: pg.Pool): Kysely<unknown> {
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
}

const roles = `
  do $$
  declare role_name text;
  begin
    foreach role_name in array array['pave_owner', 'pave_app', 'pave_system', 'pave_jobs'] loop
      if not exists (select from pg_roles where rolname = role_name) then
        execute format('create role %I nologin', role_name);
      end if;
      if not pg_has_role(current_user, role_name, 'USAGE') then
        execute format('grant %I to current_user', role_name);
      end if;
    end loop;
    if not (select rolbypassrls from pg_roles where rolname = 'pave_system') then
      alter role pave_system bypassrls;
    end if;
    execute format('grant create on database %I to pave_owner, pave_jobs', current_database());
  end $$`

/** What PostgreSQL says when two sessions change a catalog of the whole cluster at once. */
const collisions = new Set(['23505', '42710', 'XX000', '40001'])
const mostAttempts = 20

/**
 * Makes the roles if they are missing and gives the login membership; needs CREATEROLE or a superuser once. Roles are
 * the cluster's and an advisory lock is a database's, so whoever collides with another database's migration tries again.
 */
export async function prepareRoles(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return void (await client.query(roles))
      } catch (error) {
        const collided = error instanceof pg.DatabaseError && collisions.has(error.code ?? '')
        if (!collided || attempt === mostAttempts) throw error
        await setTimeout(10 * attempt)
      }
    }
  } finally {
    await client.end()
  }
}

/**
 * Turns a table with a `workspace` column into a tenant's table: row-level security by workspace, no change without an
 * operation, and the app role's rights.
 */
export async function tenantTable(db: Kysely<unknown>, name: string): Promise<void> {
  const table = sql.table(name)
  await sql`alter table ${table} enable row level security`.execute(db)
  await sql`
    create policy workspace on ${table}
    using (workspace = nullif(current_setting('app.workspace', true), '')::uuid)
    with check (workspace = nullif(current_setting('app.workspace', true), '')::uuid)
  `.execute(db)
  await sql`
    create trigger operation_required before insert or update or delete on ${table}
    for each statement execute function platform.require_operation()
  `.execute(db)
  await sql`grant select, insert, update, delete on ${table} to pave_app`.execute(db)
  await sql`grant select on ${table} to pave_system`.execute(db)
}
