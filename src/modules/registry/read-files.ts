import { constants } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Services } from '#platform/services.ts'
import { FileTree } from './contract.ts'
import { registryFailure } from './tables.ts'

type Objects = Services['objects']

const largestFileTree = 64 * 1024 ** 2

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
  for (const { path, digest } of files) {
    if (!staysInside(path))
      throw registryFailure('files_invalid', `${JSON.stringify(path)} is no path of a file below the model`)
    const target = join(directory, path)
    await mkdir(dirname(target), { recursive: true })
    await copyFile(await objects.localPath(digest), target, constants.COPYFILE_FICLONE)
  }
}

function staysInside(path: string): boolean {
  return !path.includes('\0') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}
