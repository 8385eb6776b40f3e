import { setTimeout } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import pg from 'pg'
import { startupFailure } from '../../startup-error.ts'
import { openKysely, openPool } from './database.ts'
import { kernelMigrations } from './migrations/index.ts'
import { prepareRoles } from './prepare-roles.ts'
import { isDeadlock, isLockTimeout } from './translate-error.ts'

/** The migrations of one module, by name, in order of their names; forward only. */
export interface MigrationSet {
  schema: string
  migrations: Record<string, Migration>
}

const lockKey = 7_283_002

/**
 * A migration that waits for a table makes everybody wait who comes after it: it gives up soon, lets the version before
 * go on with its work, and tries again. It gives up sooner than PostgreSQL looks for deadlocks (1 s), because a deadlock
 * might cost somebody else's transaction.
 */
const lockTimeout = '300ms'
const mostAttempts = 100

/** Brings every schema up to date, in module order, while holding one advisory lock. Returns the names it ran. */
export async function migrate(
  url: string,
  sets: readonly MigrationSet[],
  kernel: MigrationSet['migrations'] = kernelMigrations,
): Promise<string[]> {
  await prepareRoles(url)
  const options = { max: 2, onError: () => {}, applicationName: 'pave migrate' }
  const pool = openPool(url, 'pave_owner', options)
  const db = openKysely(pool)
  const ran: string[] = []
  try {
    const holder = await connectDirectly(pool)
    try {
      await holder.query('select pg_advisory_lock($1)', [lockKey])
      for (const set of [{ schema: 'platform', migrations: kernel }, ...sets]) {
        ran.push(...(await migrateSchema(db, set)))
      }
    } finally {
      await holder.query('select pg_advisory_unlock($1)', [lockKey]).catch(() => {})
      holder.release()
    }
  } finally {
    await db.destroy()
  }
  return ran
}

/** A pooler refuses the role that a session is to start with, or drops it without a word; neither may go unnoticed. */
async function connectDirectly(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    const holder = await pool.connect()
    const { rows } = await holder.query<{ role: string }>('select current_user as role')
    if (rows[0]?.role === 'pave_owner') return holder
    holder.release(true)
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && /startup parameter/.test(error.message))) throw error
  }
  throw startupFailure(
    'database_not_direct',
    'A session with PostgreSQL did not keep the role that it was started with',
  )
}

async function migrateSchema(db: Kysely<unknown>, set: MigrationSet): Promise<string[]> {
  await sql`create schema if not exists ${sql.id(set.schema)}`.execute(db)
  await sql`grant usage on schema ${sql.id(set.schema)} to pave_app, pave_system`.execute(db)
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => withLockTimeout(set.migrations) },
    migrationTableSchema: set.schema,
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
  })
  for (let attempt = 1; ; attempt++) {
    const { error, results } = await migrator.migrateToLatest()
    if (error === undefined) return (results ?? []).map((result) => `${set.schema}/${result.migrationName}`)
    if ((isLockTimeout(error) || isDeadlock(error)) && attempt < mostAttempts) {
      await setTimeout(200)
      continue
    }
    const failed = results?.find((result) => result.status === 'Error')?.migrationName ?? 'the list of migrations'
    throw startupFailure('migration_failed', `Migration ${set.schema}/${failed} failed: ${String(error)}`, {
      cause: error,
    })
  }
}

/** All migrations of a schema share one transaction, so that an attempt which gives up leaves nothing of itself. */
function withLockTimeout(migrations: MigrationSet['migrations']): MigrationSet['migrations'] {
  return Object.fromEntries(
    Object.entries(migrations).map(([name, migration]) => [
      name,
      {
        ...migration,
        async up(db) {
          await sql`select set_config('lock_timeout', ${lockTimeout}, true)`.execute(db)
          await migration.up(db)
        },
      },
    ]),
  )
}
