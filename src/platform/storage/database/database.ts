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

/**
 * How a session is opened that runs as `role` from its first statement to its last; `url` names a login that is a member
 * of it. `sslmode` means what it means to psql, and not what the driver makes of it.
 */
export function sessionOf(url: string, role: Role | undefined) {
  const asPsql = url.includes('sslmode=') && !url.includes('uselibpqcompat=')
  return {
    connectionString: asPsql ? `${url}&uselibpqcompat=true` : url,
    application_name: `pave${role ? ` ${role}` : ''}`,
    ...(role && { options: `-c role=${role}` }),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 10_000,
  }
}

/** A pool of such sessions. Without a role they are good for `inTransaction` alone, which sets one each time. */
export function openPool(
  url: string,
  role: Role | undefined,
  options: {
    max: number
    onError: (error: Error) => void
    applicationName?: string
    answerWithinMs?: number
    /** Statements go out before the ones before them are answered; not for sessions that a pooler lends. */
    pipeline?: boolean
  },
): pg.Pool {
  const session = sessionOf(url, role)
  const pool = new pg.Pool({
    ...session,
    max: options.max,
    pipeline: options.pipeline ?? false,
    types,
    application_name: options.applicationName ?? session.application_name,
    idleTimeoutMillis: 30_000,
    // A server that went without a word sends no error either.
    ...(options.answerWithinMs !== undefined && { query_timeout: options.answerWithinMs }),
  })
  // A server that ends a session must not end this process; whoever uses the session is told by its query.
  pool.on('error', (error) => {
    // The pool hangs the whole client on it, which no log should hold.
    Reflect.deleteProperty(error, 'client')
    if (!pool.ending) options.onError(error)
  })
  pool.on('connect', (client) => client.on('error', () => {}))
  // What was given up and never answered stands before everything that the session would be asked next.
  pool.on('release', (_error, client) => {
    const busy = 'readyForQuery' in client && client.readyForQuery === false
    // One that pipelines is lent again while it ends a transaction that was only read; given up, it has no stream left.
    if (client.pipeline ? client.connection.stream.destroyed : busy) client.end().catch(() => {})
  })
  return pool
}

export function openKysely(pool: pg.Pool): Kysely<unknown> {
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
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
