import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { access, chmod, mkdir, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { refuseUnfinishedDirectory } from './backup/unfinished-restore.ts'
import { platformFailure } from './errors.ts'
import { startupFailure } from './startup-error.ts'

export interface DataDirectory {
  path: string
  /** For sockets and whatever else is worthless after a restart. */
  runDir: string
  /** Gives the directory free for another process; the death of this one does so as well. */
  release(): Promise<void>
}

const Holder = z.object({ pid: z.number(), command: z.string(), host: z.string() })
type Holder = z.infer<typeof Holder>

/** Others may pass through to what is theirs below, and see nothing on the way. */
const traversable = 0o711

const sqliteBusy = 5
const sqliteFull = 13

/** A collected connection would be closed and its lock lost, so the locks held are kept in sight here. */
const locks = new Set<DatabaseSync>()

/**
 * Creates the directory if need be and holds it for this process alone, or with others that hold it `shared`. `command`
 * is how the process is called when another one asks. Errors: data_directory_in_use, data_directory_unwritable,
 * restore_unfinished, disk_full.
 */
export async function openDataDirectory(
  path: string,
  options: { command: string; shared?: boolean; restoring?: boolean },
): Promise<DataDirectory> {
  const directory = resolve(path)
  const runDir = join(directory, 'run')
  const holderFile = join(runDir, 'holder.json')
  try {
    await makeTraversable(directory)
    await access(directory, constants.W_OK | constants.X_OK)
    const lock = await acquire(directory, holderFile, options.shared ?? false)
    try {
      if (options.restoring !== true) await refuseUnfinishedDirectory(directory)
      await makeTraversable(runDir)
      await writeHolder(holderFile, { pid: process.pid, command: options.command, host: hostname() })
    } catch (error) {
      free(lock)
      throw error
    }
    return {
      path: directory,
      runDir,
      async release() {
        if (!locks.has(lock)) return
        const holder = await readHolder(holderFile).catch(() => undefined)
        if (holder?.pid === process.pid) await rm(holderFile, { force: true })
        free(lock)
      },
    }
  } catch (error) {
    throw explained(directory, error)
  }
}

/**
 * `.pave` below the working directory, or what was configured. As root it must be reachable for the unprivileged
 * processes that Pave starts: a default that is not is moved to /var/lib/pave; a configured one is
 * data_directory_untraversable.
 */
export async function chooseDataDirectory(options: {
  configured: string | undefined
  cwd: string
  uid: number | undefined
}): Promise<string> {
  const path = resolve(options.cwd, options.configured ?? '.pave')
  if (options.uid !== 0) return path
  const closed = await closedDirectory(path)
  if (closed === undefined) return path
  if (options.configured === undefined) {
    const name = createHash('sha256').update(options.cwd).digest('hex').slice(0, 12)
    return join('/var/lib/pave', name)
  }
  throw startupFailure(
    'data_directory_untraversable',
    `Other users cannot pass through ${closed}, and PostgreSQL, which refuses to run as root, has to reach ${path}`,
    {
      hint: `Run \`chmod o+x ${closed}\`, choose a directory elsewhere with PAVE_DATA_DIR, or run Pave as an ordinary user.`,
      details: { directory: closed },
    },
  )
}

/**
 * The first directory on the way to `path` that other users cannot pass through, if there is one. What does not exist
 * yet, or is still empty at the end of the way, will be opened when Pave makes it its own.
 */
export async function closedDirectory(path: string): Promise<string | undefined> {
  for (const directory of new Set([...ancestors(path), ...ancestors(await existingPart(path))])) {
    const found = await unlessMissing(stat(directory))
    if (found === undefined || (found.mode & 0o001) !== 0) continue
    if (directory === path && (await readdir(directory)).length === 0) continue
    return directory
  }
  return undefined
}

/** From the root down to the path itself. */
function ancestors(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [path] : [...ancestors(parent), path]
}

async function existingPart(path: string): Promise<string> {
  return (await unlessMissing(realpath(path))) ?? existingPart(dirname(path))
}

/** Makes the directories that are missing; they and an empty one that was there are ours, so they get our mode. */
async function makeTraversable(path: string): Promise<void> {
  const created = await mkdir(path, { recursive: true })
  if (created !== undefined) {
    const made = ancestors(path).filter((directory) => directory.startsWith(created))
    for (const directory of made) await chmod(directory, traversable)
  } else if ((await readdir(path)).length === 0) {
    await chmod(path, traversable)
  }
}

/**
 * The lock is SQLite's on an empty database: Node offers no file locks of its own, and one that the kernel frees with
 * its holder needs no judgement about process ids, which a reboot or another container gives out again. No other code
 * in this process may open the file: closing any of its descriptors would free the lock (POSIX).
 */
async function acquire(directory: string, holderFile: string, shared: boolean): Promise<DatabaseSync> {
  const lock = new DatabaseSync(join(directory, 'lock'), { timeout: 300 })
  try {
    const hold = shared ? 'begin; select count(*) from sqlite_master' : 'begin exclusive'
    lock.exec(`pragma journal_mode = memory; ${hold}`)
  } catch (error) {
    lock.close()
    if (sqliteCode(error) === sqliteBusy) throw await inUse(directory, holderFile)
    throw error
  }
  locks.add(lock)
  return lock
}

function free(lock: DatabaseSync): void {
  locks.delete(lock)
  lock.close()
}

async function inUse(directory: string, holderFile: string) {
  const holder = await readHolder(holderFile)
  if (holder === undefined) return startupFailure('data_directory_in_use', `${directory} is in use by another process`)
  const where = holder.host === hostname() ? '' : ` on ${holder.host}`
  return startupFailure(
    'data_directory_in_use',
    `${directory} is in use by \`${holder.command}\` (process ${holder.pid}${where}, since ${holder.since})`,
    {
      hint: `Stop it with \`kill ${holder.pid}\`${where}, or give this process a directory of its own with PAVE_DATA_DIR.`,
      details: holder,
    },
  )
}

/** The holder as it wrote itself down; the file is as old as the hold. */
async function readHolder(path: string): Promise<(Holder & { since: string }) | undefined> {
  const text = await unlessMissing(readFile(path, 'utf8'))
  const found = await unlessMissing(stat(path))
  if (text === undefined || found === undefined) return undefined
  return { ...Holder.parse(JSON.parse(text)), since: found.mtime.toISOString() }
}

/** Renamed into place, so that nobody reads half of it. */
async function writeHolder(path: string, holder: Holder): Promise<void> {
  const scratch = `${path}.${holder.pid}.new`
  const file = await open(scratch, 'w', 0o644)
  try {
    await file.writeFile(`${JSON.stringify(holder)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(scratch, path)
}

const unwritable = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENAMETOOLONG', 'ELOOP']

function explained(directory: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT' || sqliteCode(error) === sqliteFull)
    return platformFailure('disk_full', `No space is left on the disk of ${directory}`, { cause: error })
  if (unwritable.some((known) => known === code) || sqliteCode(error) !== undefined)
    return startupFailure('data_directory_unwritable', `${directory} cannot be written: ${String(error)}`, {
      cause: error,
    })
  return error
}

function sqliteCode(error: unknown): unknown {
  return error instanceof Error && 'errcode' in error ? error.errcode : undefined
}

async function unlessMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined
    throw error
  }
}
