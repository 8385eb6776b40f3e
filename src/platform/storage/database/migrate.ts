import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { startupFailure } from '../../startup-error.ts'
import { openKysely, openPool, prepareRoles } from './database.ts'
import { kernelMigrations } from './migrations/index.ts'

/** The migrations of one module, by name, in order of their names; forward only. */
export interface MigrationSet {
  schema: string
  migrations: Record<string, Migration>
}

const lockKey = 7_283_002

/** Brings every schema up to date, in module order, while holding one advisory lock. Returns the names it ran. */
export async function migrate(
  url: string,
  sets: readonly MigrationSet[],
  kernel: MigrationSet['migrations'] = kernelMigrations,
): Promise<string[]> {
  await prepareRoles(url)
  const pool = openPool(url, 'pave_owner', { max: 2, onError: () => {}, applicationName: 'pave migrate' })
  const holder = await pool.connect()
  const db = openKysely(pool)
  const ran: string[] = []
  try {
    await holder.query('select pg_advisory_lock($1)', [lockKey])
    for (const set of [{ schema: 'platform', migrations: kernel }, ...sets]) {
      ran.push(...(await migrateSchema(db, set)))
    }
  } finally {
    await holder.query('select pg_advisory_unlock($1)', [lockKey]).catch(() => {})
    holder.release()
    await db.destroy()
  }
  return ran
}

async function migrateSchema(db: Kysely<unknown>, set: MigrationSet): Promise<string[]> {
  await sql`create schema if not exists ${sql.id(set.schema)}`.execute(db)
  await sql`grant usage on schema ${sql.id(set.schema)} to pave_app, pave_system`.execute(db)
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => set.migrations },
    migrationTableSchema: set.schema,
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
  })
  const { error, results } = await migrator.migrateToLatest()
  if (error !== undefined) {
    const failed = results?.find((result) => result.status === 'Error')?.migrationName ?? 'the list of migrations'
    throw startupFailure('migration_failed', `Migration ${set.schema}/${failed} failed: ${String(error)}`, {
      cause: error,
    })
  }
  return (results ?? []).map((result) => `${set.schema}/${result.migrationName}`)
}
