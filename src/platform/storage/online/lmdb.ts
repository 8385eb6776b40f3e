import { mkdir, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { open } from 'lmdb'
import { platformFailure } from '../../errors.ts'
import { encodeKey, encodeNamespace, type OnlineStore, type OnlineStoreOptions, onlineFailure } from './online-store.ts'

/** Keys deleted per transaction by `deleteNamespace`, so that other writes get their turn. */
const deletionBatch = 10_000

/** A failed write on a disk with less than this free failed for want of space. */
const leastFreeBytes = 2 ** 20

export const lmdbSettings = {
  keyEncoding: 'binary',
  encoding: 'binary',
  noSubdir: true,
  // A batch is one transaction, and its promise is settled by that transaction's fsync: lmdb's other modes resolve some
  // promises before the disk and reject one that nobody can reach.
  eventTurnBatching: false,
  overlappingSync: false,
} as const

/** One LMDB file, shared by one writing and any number of reading processes on this machine. */
export async function openLmdbStore(url: string, { readOnly = false }: OnlineStoreOptions): Promise<OnlineStore> {
  const path = fileURLToPath(url.replace(/^lmdb:/, 'file:'))
  await mkdir(dirname(path), { recursive: true })
  // A reader may start before the first writer; LMDB opens for reading only what exists.
  if (readOnly && (await stat(path).catch(() => undefined)) === undefined)
    await open<Buffer, Uint8Array>({ path, ...lmdbSettings }).close()
  const database = open<Buffer, Uint8Array>({ path, readOnly, ...lmdbSettings })

  const write = async (action: () => void) => {
    if (readOnly) throw onlineFailure('online_store_read_only', `${path} is open for reading`)
    try {
      await database.batch(action)
    } catch (error) {
      throw await commitError(error, dirname(path))
    }
  }

  return {
    getMany(keys) {
      // LMDB keeps one snapshot for a turn of the event loop; a reader must see what was written before it asked.
      database.resetReadTxn()
      return keys.map((key) => database.getBinary(encodeKey(key)))
    },

    async writeBatch({ puts = [], deletes = [] }) {
      const removals = deletes.map(encodeKey)
      const entries = puts.map(({ key, value }) => [encodeKey(key), Buffer.from(value)] as const)
      await write(() => {
        for (const key of removals) void database.remove(key)
        for (const [key, value] of entries) void database.put(key, value)
      })
    },

    async deleteNamespace(namespace) {
      const start = encodeNamespace(namespace)
      const end = Buffer.concat([start.subarray(0, -1), Buffer.from([1])])
      for (let deleted = 0; ; ) {
        database.resetReadTxn()
        const keys = [...database.getKeys({ start, end, limit: deletionBatch })].map((key) => Buffer.from(key))
        if (keys.length === 0) return deleted
        await write(() => {
          for (const key of keys) void database.remove(key)
        })
        deleted += keys.length
      }
    },

    close: () => database.close(),
  }
}

/** lmdb rejects a write with a promise of the reason, and takes a write cut short by a full disk for EIO. */
async function commitError(error: unknown, directory: string): Promise<unknown> {
  const reason = error instanceof Error && 'commitError' in error ? await rejection(error.commitError) : error
  const { bavail, bsize } = await statfs(directory)
  if (
    (reason instanceof Error && /no space left|quota exceeded/i.test(reason.message)) ||
    bavail * bsize < leastFreeBytes
  )
    return platformFailure('disk_full', `No space is left on the disk of ${directory}`, { cause: reason })
  return reason
}

async function rejection(promise: unknown): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    return error
  }
}
