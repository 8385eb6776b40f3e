import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Replaces a file as a whole: after a crash it holds the old bytes or the new ones, never a part. */
export async function writeDurably(path: string, bytes: string | Uint8Array, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const scratch = `${path}.tmp`
  try {
    await using file = await open(scratch, 'w', mode)
    await file.writeFile(bytes)
    await file.sync()
  } catch (error) {
    await rm(scratch, { force: true })
    throw error
  }
  await rename(scratch, path)
  await syncDirectory(dirname(path))
}

/** Makes the names in a directory survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r')
  await directory.sync()
}

/** What a read of a file that need not exist answers when it does not. */
export async function unlessMissing<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
