import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startupFailure } from '../../../startup-error.ts'
import { type Account, giveTo } from './account.ts'

/** PostgreSQL names its socket after a port, although it listens on none. */
export const socketPort = 5432

/** The shortest of all systems' limits on the path of a socket, in bytes. */
const longestPath = 103

/** Where the socket of a data directory is, whether anybody listens or not. */
export function socketDirectoryOf(dataDir: string): { directory: string; near: boolean } {
  const near = join(dataDir, 'run', 'postgres')
  if (Buffer.byteLength(join(near, `.s.PGSQL.${socketPort}`)) <= longestPath) return { directory: near, near: true }
  const hashed = createHash('sha256').update(dataDir).digest('hex').slice(0, 12)
  return { directory: join('/tmp', `pave-${hashed}`), near: false }
}

/** A connection string for the superuser; reaches no further than this machine. */
export function socketUrl(directory: string, database: string): string {
  return `postgresql://postgres@/${encodeURIComponent(database)}?host=${encodeURIComponent(directory)}&port=${socketPort}`
}

/**
 * A directory that only PostgreSQL and Pave can enter, since whoever reaches the socket is let in. It lies below the
 * data directory, or below /tmp if that path is too long for a socket. Error: postgres_start_failed.
 */
export async function prepareSocketDirectory(dataDir: string, account: Account | undefined): Promise<string> {
  const { directory, near: fits } = socketDirectoryOf(dataDir)
  await mkdir(directory, { mode: 0o700, recursive: fits }).catch((error) => {
    if (error.code !== 'EEXIST') throw error
  })
  const found = await lstat(directory)
  const owner = account?.uid ?? process.geteuid?.()
  if (!found.isDirectory() || ![owner, process.geteuid?.()].includes(found.uid))
    throw startupFailure(
      'postgres_start_failed',
      `${directory}, where the socket should go, belongs to somebody else`,
      {
        hint: `Remove ${directory}, or choose a data directory with a shorter path with PAVE_DATA_DIR.`,
      },
    )
  await giveTo(account, directory)
  await chmod(directory, 0o700)
  return directory
}
