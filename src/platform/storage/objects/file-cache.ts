import { mkdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../clock.ts'
import { PaveError } from '../../errors.ts'
import type { Digest, ObjectContent, ObjectStore, PutOptions, StoredObject } from './object-store.ts'
import { hexOf, shardedName } from './verify.ts'

/**
 * Local copies of remote objects. Several processes may share the directory: what is there and when it was used last is
 * on the disk alone.
 */
export interface FileCache {
  pathOf(digest: Digest): string
  put(content: ObjectContent, options?: PutOptions): Promise<StoredObject>
  /** Path of a copy that was verified now, or is unchanged since; a damaged one is thrown away. */
  find(digest: Digest): Promise<string | undefined>
  /** Path of the copy that is made from what `fetch` gives; once when it is asked for several times at once. */
  fill(digest: Digest, fetch: () => Promise<ObjectContent>): Promise<string>
  forget(digest: Digest): Promise<void>
}

/** Whoever got a path may open the file for so long, however full the cache is; longer than any query may run. */
const inUseMs = 3_600_000
/** The directory is walked each time that this part of the bound was written. */
const walkedEvery = 0.05

export async function openFileCache(
  files: ObjectStore,
  mostBytes: number,
  { usedForMs = inUseMs, now = systemClock.now } = {},
): Promise<FileCache> {
  const pathOf = (digest: Digest) => join(files.localDirectory, shardedName(digest))
  const marks = join(files.localDirectory, 'used')
  await mkdir(marks, { recursive: true })
  const markOf = (digest: Digest) => join(marks, hexOf(digest))
  const filling = new Map<Digest, Promise<string>>()
  let written = 0

  /** An empty file of its own says when a copy was used: the times of the copy itself say whether it changed. */
  async function markUsed(digest: Digest): Promise<void> {
    const mark = markOf(digest)
    const at = now() / 1000
    await utimes(mark, at, at).catch(async () => {
      await writeFile(mark, '')
      await utimes(mark, at, at)
    })
  }

  async function remove(digest: Digest): Promise<void> {
    await files.delete(digest)
    await rm(markOf(digest), { force: true })
  }

  /** Until the rest fits, what was used least recently goes. */
  async function evict(): Promise<void> {
    const copies = []
    let bytes = 0
    for await (const { digest, size } of files.list()) {
      const mark = await stat(markOf(digest)).catch(() => undefined)
      copies.push({ digest, size, usedAt: mark?.mtimeMs ?? 0 })
      bytes += size
    }
    copies.sort((a, b) => a.usedAt - b.usedAt)
    for (const { digest, size, usedAt } of copies) {
      if (bytes <= mostBytes || now() - usedAt < usedForMs) return
      await remove(digest)
      bytes -= size
    }
  }

  async function put(content: ObjectContent, options?: PutOptions): Promise<StoredObject> {
    const stored = await files.put(content, options)
    await markUsed(stored.digest)
    written += stored.size
    if (written > walkedEvery * mostBytes) {
      written = 0
      await evict()
    }
    return stored
  }

  await evict()
  return {
    pathOf,
    put,

    async find(digest) {
      if (!(await files.has(digest))) return undefined
      await markUsed(digest)
      try {
        return await files.localPath(digest)
      } catch (error) {
        if (!(error instanceof PaveError)) throw error
        await remove(digest)
        return undefined
      }
    },

    fill(digest, fetch) {
      const under = filling.get(digest)
      if (under !== undefined) return under
      const path = fetch()
        .then((content) => put(content, { expectedDigest: digest }))
        .then(() => files.localPath(digest))
        .finally(() => filling.delete(digest))
      filling.set(digest, path)
      return path
    },

    forget: remove,
  }
}
