import { constants } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isPlainPath } from '#platform/names.ts'
import type { Services } from '#platform/services.ts'
import { FileTree } from './contract.ts'
import { registryFailure } from './tables.ts'

type Objects = Services['objects']

const largestFileTree = 64 * 1024 ** 2
/** Bytes of a name in a directory of Linux. */
const longestName = 255

/** The list of a version's files. */
export async function readFileTree(objects: Objects, digest: string): Promise<FileTree> {
  const bytes = await objects.read(digest, { maxBytes: largestFileTree })
  try {
    return FileTree.parse(JSON.parse(bytes.toString('utf8')))
  } catch (error) {
    throw registryFailure('files_invalid', 'The list of files is not a JSON list of path, digest and size', {
      cause: error,
    })
  }
}

/** Lays a version's files out in a directory. The paths are a stranger's: none may lead out of it. */
export async function layOutFiles(objects: Objects, files: FileTree, directory: string): Promise<void> {
  checkPaths(files)
  for (const { path, digest } of files) {
    const target = join(directory, path)
    await mkdir(dirname(target), { recursive: true })
    await copyFile(await objects.localPath(digest), target, constants.COPYFILE_FICLONE)
  }
}

function checkPaths(files: FileTree): void {
  for (const { path } of files) {
    if (!isPlainPath(path) || path.split('/').some((name) => Buffer.byteLength(name) > longestName))
      throw registryFailure('files_invalid', `${JSON.stringify(path)} is no path of a file below the model`)
  }
  // With the least character for the slash, whatever is below a path comes right after it.
  const sorted = files.map(({ path }) => path.replaceAll('/', '\0')).sort()
  const twice = sorted.find((path, at) => path === sorted[at + 1] || sorted[at + 1]?.startsWith(`${path}\0`))
  if (twice === undefined) return
  const path = JSON.stringify(twice.replaceAll('\0', '/'))
  throw registryFailure('files_invalid', `The list of files has ${path} twice, or as a file and as a directory`)
}
