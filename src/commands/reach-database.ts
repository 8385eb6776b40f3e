import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { backupFailure } from '#platform/backup/errors.ts'
import type { Config } from '#platform/config.ts'
import { openDataDirectory } from '#platform/data-directory.ts'
import { PaveError } from '#platform/errors.ts'
import { socketDirectoryOf, socketUrl } from '#platform/storage/database/embedded/socket-directory.ts'
import { startEmbeddedPostgres } from '#platform/storage/database/embedded/start-embedded-postgres.ts'
import { createLogger } from '#platform/telemetry.ts'

export interface ReachedDatabase {
  url: string
  /** PostgreSQL was started for this, because no Pave runs. */
  started: boolean
  close(): Promise<void>
}

/**
 * The database of a data directory, for a command that only reads: that of DATABASE_URL, else the bundled one of the Pave
 * that runs, else the bundled one started for as long as it is needed.
 *
 * @throws `backup_nothing_to_save`, `data_directory_in_use`
 */
export async function reachDatabase(
  config: Config,
  dataDir: string,
  options: { command: string; onProgress: (text: string) => void },
): Promise<ReachedDatabase> {
  const { databaseUrl, databaseDirectUrl } = config
  const url = databaseDirectUrl ?? databaseUrl
  if (url !== undefined) return { url, started: false, close: async () => {} }
  if ((await stat(join(dataDir, 'postgres')).catch(() => undefined)) === undefined) {
    throw backupFailure('backup_nothing_to_save', `No Pave was ever started in ${dataDir}`)
  }
  try {
    return await startFor(dataDir, options)
  } catch (error) {
    if (!(error instanceof PaveError) || error.code !== 'data_directory_in_use') throw error
    const running = socketUrl(socketDirectoryOf(dataDir).directory, 'postgres')
    if (!(await answers(running))) throw error
    return { url: running, started: false, close: async () => {} }
  }
}

async function startFor(
  dataDir: string,
  { command, onProgress }: { command: string; onProgress: (text: string) => void },
): Promise<ReachedDatabase> {
  const held = await openDataDirectory(dataDir, { command })
  try {
    onProgress('Pave is not running here: starting its PostgreSQL for the time being')
    const log = createLogger('warn', join(dataDir, 'logs', 'control-plane.log'))
    const postgres = await startEmbeddedPostgres({ dataDir, log })
    return {
      url: postgres.superuserUrl('postgres'),
      started: true,
      close: async () => {
        await postgres.stop()
        await held.release()
      },
    }
  } catch (error) {
    await held.release()
    throw error
  }
}

/** Whoever holds the directory may be on its way up or down. */
async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}
