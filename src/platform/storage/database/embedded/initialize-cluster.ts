import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { platformFailure } from '../../../errors.ts'
import { startupFailure } from '../../../startup-error.ts'
import { type Account, giveTo } from './account.ts'
import type { Binaries } from './binaries.ts'

const unfinishedPrefix = 'postgres-unfinished-'

/**
 * Makes the cluster if there is none. A killed initdb leaves only a directory of another name, which goes with the next
 * attempt. Errors: postgres_version_mismatch, postgres_start_failed, postgres_binaries_missing, disk_full.
 */
export async function initializeCluster(
  cluster: string,
  options: {
    dataDir: string
    binaries: Binaries
    account: Account | undefined
    sync: boolean
    onProgress: (message: string) => void
  },
): Promise<void> {
  const { dataDir, binaries, account } = options
  if (existsSync(cluster)) return checkVersion(cluster, binaries)
  options.onProgress('Creating the database')
  for (const name of await readdir(dataDir)) {
    if (name.startsWith(unfinishedPrefix))
      await rm(join(dataDir, name), { recursive: true, force: true, maxRetries: 5 })
  }
  const unfinished = await mkdtemp(join(dataDir, unfinishedPrefix))
  await giveTo(account, unfinished)
  await initdb(unfinished, options)
  await rename(unfinished, cluster)
  await syncDirectory(dataDir)
}

async function checkVersion(cluster: string, binaries: Binaries): Promise<void> {
  const made = (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim()
  const [major] = binaries.version.split('.')
  if (made !== major)
    throw startupFailure('postgres_version_mismatch', `${cluster} was made by PostgreSQL ${made}, this is ${major}`)
}

/**
 * `trust` asks for no password: the socket's directory is closed to all but this account and root, and both of them
 * can read the cluster's files anyway. `peer` would fail where a user has no name, as in many containers.
 */
async function initdb(
  directory: string,
  { binaries, account, sync }: { binaries: Binaries; account: Account | undefined; sync: boolean },
): Promise<void> {
  const program = join(binaries.native, 'bin', 'initdb')
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const access = ['--username=postgres', '--auth-local=trust', '--auth-host=reject']
  const rest = ['--no-instructions', ...(sync ? [] : ['--no-sync'])]
  try {
    await promisify(execFile)(program, [`--pgdata=${directory}`, ...locale, ...access, ...rest], {
      cwd: '/',
      env: { LC_ALL: 'C' },
      ...account,
    })
  } catch (error) {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
    throw initdbFailure(program, error)
  }
}

function initdbFailure(program: string, error: unknown) {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
  if (/No space left on device|Disk quota exceeded/.test(said))
    return platformFailure('disk_full', `The disk is too full to create the database: ${said}`, { cause: error })
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 127))
    return startupFailure('postgres_binaries_missing', `${program} does not run on this system: ${said}`, {
      cause: error,
    })
  return startupFailure('postgres_start_failed', `The database could not be created: ${said}`, { cause: error })
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
