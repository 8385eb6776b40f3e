import { PaveError } from '../../errors.ts'
import type { Digest, ObjectContent, ObjectStore, PutOptions, StoredObject } from './object-store.ts'

/** Local copies of remote objects: the least recently used go when there are too many bytes. */
export interface FileCache {
  put(content: ObjectContent, options?: PutOptions): Promise<StoredObject>
  /** Path of a copy that was verified now, or is unchanged since; a damaged one is thrown away. */
  find(digest: Digest): Promise<string | undefined>
  /** Path of the copy that is made from what `fetch` gives; once when it is asked for several times at once. */
  fill(digest: Digest, fetch: () => Promise<ObjectContent>): Promise<string>
  forget(digest: Digest): Promise<void>
}

/** Whoever got a path may open the file for so long, however full the cache is; longer than any query may run. */
const inUseMs = 3_600_000

export async function openFileCache(files: ObjectStore, mostBytes: number, usedForMs = inUseMs): Promise<FileCache> {
  /** The least recently used first. */
  const entries = new Map<Digest, { size: number; usedAt: number }>()
  let bytes = 0
  const filling = new Map<Digest, Promise<string>>()

  function use({ digest, size }: StoredObject): void {
    drop(digest)
    entries.set(digest, { size, usedAt: performance.now() })
    bytes += size
  }
  function drop(digest: Digest): void {
    bytes -= entries.get(digest)?.size ?? 0
    entries.delete(digest)
  }
  async function evict(): Promise<void> {
    for (const [digest, { usedAt }] of entries) {
      if (bytes <= mostBytes || performance.now() - usedAt < usedForMs) return
      drop(digest)
      await files.delete(digest)
    }
  }
  async function put(content: ObjectContent, options?: PutOptions): Promise<StoredObject> {
    const stored = await files.put(content, options)
    use(stored)
    await evict()
    return stored
  }

  for await (const { digest, size } of files.list()) {
    entries.set(digest, { size, usedAt: Number.NEGATIVE_INFINITY })
    bytes += size
  }
  await evict()

  return {
    put,

    async find(digest) {
      const entry = entries.get(digest)
      if (entry === undefined) return undefined
      use({ digest, size: entry.size })
      try {
        return await files.localPath(digest)
      } catch (error) {
        if (!(error instanceof PaveError)) throw error
        drop(digest)
        await files.delete(digest)
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

    async forget(digest) {
      drop(digest)
      await files.delete(digest)
    },
  }
}
