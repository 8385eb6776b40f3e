import { constants } from 'node:fs'
import { access, chmod, copyFile, mkdir, realpath, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * The directory of a Node binary that steps may run: of the one given, or else of a copy below `dataDir`, which is given
 * where steps run under another uid than ours.
 */
export async function nodeDirectory(binary: string, version: string, dataDir: string | undefined): Promise<string> {
  const node = await realpath(binary)
  if (dataDir === undefined || (await isOpenToAll(node))) return dirname(node)
  const directory = join(dataDir, 'bin', `node-${version}`)
  const copy = join(directory, 'node')
  if (await exists(copy)) return directory
  await mkdir(directory, { recursive: true })
  for (const path of [dirname(directory), directory]) await chmod(path, 0o755)
  const unfinished = `${copy}.${process.pid}`
  await copyFile(node, unfinished, constants.COPYFILE_FICLONE)
  await chmod(unfinished, 0o755)
  await rename(unfinished, copy)
  return directory
}

/** Whether others may enter every directory on the way, and read and run the file itself. */
async function isOpenToAll(file: string): Promise<boolean> {
  if (((await stat(file)).mode & 0o005) !== 0o005) return false
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    if (((await stat(directory)).mode & 0o001) === 0) return false
    if (directory === dirname(directory)) return true
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )
