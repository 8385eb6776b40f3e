import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, chown, mkdir, readdir, readFile, readlink, rm, stat, symlink, utimes } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** No id of an attempt begins with a dot. */
const made = '.made'
const unusedMs = 30 * 24 * 3_600_000

/**
 * Directories that one attempt fills and later attempts of its workspace only read. An environment is used at the very
 * path where it was made, because most tools write their own path into what they install. So each attempt has a directory
 * of its own, and the link `.made` beside it names the one that is used, once it is whole.
 */
export interface Environments {
  /** The one to use; undefined when it was not made on this machine. */
  find(workspace: string, key: string, now: number): Promise<string | undefined>
  /** An empty directory for an attempt to fill. */
  begin(workspace: string, key: string, attemptId: string, owner: number | undefined): Promise<string>
  /** Closes a filled directory to changes and makes it the one to use, unless another was faster. */
  keep(directory: string, owner: number | undefined): Promise<void>
  /** Removes what an attempt left that did not become the one to use. */
  drop(directory: string): Promise<void>
  /** Removes what nobody used for a month, and what was left by attempts that are gone. */
  prune(now: number, isAttempt: (attemptId: string) => Promise<boolean>): Promise<void>
}

export async function openEnvironments(root: string): Promise<Environments> {
  await mkdir(root, { recursive: true })
  await chmod(root, 0o711)
  // What was installed for one system does not run on another, and a data directory may move between containers.
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const placeOf = (workspace: string, key: string) =>
    join(root, digest(JSON.stringify([workspace, key, root, process.arch, system])))

  return {
    async find(workspace, key, now) {
      const place = placeOf(workspace, key)
      const name = await madeIn(place)
      if (name === undefined) return undefined
      await utimes(place, now / 1000, now / 1000)
      return join(place, name)
    },
    async begin(workspace, key, attemptId, owner) {
      const place = placeOf(workspace, key)
      const directory = join(place, attemptId)
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await chmod(place, 0o711)
      if (owner !== undefined) await chown(directory, owner, owner)
      return directory
    },
    async keep(directory, owner) {
      // Readable by the group, which is the workspace's alone. Links are changed themselves, not what they lead to.
      if (owner !== undefined) {
        // It is taken from its owner first: another step of the workspace could put a link in chmod's way, and chown -h
        // follows none.
        await promisify(execFile)('chown', ['-R', '-h', String(process.geteuid?.()), directory])
        await promisify(execFile)('chmod', ['-R', 'u+rwX,g+rX,g-w,o-rwx', directory])
      }
      await symlink(basename(directory), join(dirname(directory), made)).catch(ignoring('EEXIST'))
      await dropUnlessMade(directory)
    },
    drop: dropUnlessMade,
    async prune(now, isAttempt) {
      for (const name of await readdir(root)) {
        const place = join(root, name)
        const old = now - (await stat(place)).mtimeMs > unusedMs
        for (const entry of await readdir(place)) {
          if (entry !== made && !(await isAttempt(entry))) await dropUnlessMade(join(place, entry))
        }
        if (old) await rm(place, { recursive: true, force: true })
      }
    },
  }
}

async function dropUnlessMade(directory: string): Promise<void> {
  if ((await madeIn(dirname(directory))) === basename(directory)) return
  await rm(directory, { recursive: true, force: true })
}

function madeIn(place: string): Promise<string | undefined> {
  return readlink(join(place, made)).catch(ignoring('ENOENT'))
}

function ignoring(code: string): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof Error && 'code' in error && error.code === code)) throw error
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
