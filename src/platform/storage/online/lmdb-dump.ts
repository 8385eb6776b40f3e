import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { open } from 'lmdb'
import { lmdbSettings } from './lmdb.ts'

export interface StoredPair {
  key: Uint8Array
  value: Uint8Array
}

const pathOf = (url: string): string => fileURLToPath(url.replace(/^lmdb:/, 'file:'))
const pairsPerWrite = 5_000

/** Everything in the store as of one moment, while another process writes to it; nothing where there is no store yet. */
export async function* dumpLmdb(url: string): AsyncGenerator<StoredPair> {
  const path = pathOf(url)
  if ((await stat(path).catch(() => undefined)) === undefined) return
  const database = open<Buffer, Uint8Array>({ path, readOnly: true, ...lmdbSettings })
  try {
    for (const { key, value } of database.getRange({ snapshot: true })) {
      yield { key: Buffer.from(key), value: Buffer.from(value) }
    }
  } finally {
    await database.close()
  }
}

/** Into a store that nobody else has open; on the disk when this resolves. Answers how many. */
export async function loadLmdb(url: string, pairs: AsyncIterable<StoredPair>): Promise<number> {
  const database = open<Buffer, Uint8Array>({ path: pathOf(url), ...lmdbSettings })
  let loaded = 0
  try {
    let batch: StoredPair[] = []
    const write = async () => {
      const full = batch
      batch = []
      await database.batch(() => {
        for (const { key, value } of full) void database.put(Buffer.from(key), Buffer.from(value))
      })
      loaded += full.length
    }
    for await (const pair of pairs) {
      batch.push(pair)
      if (batch.length === pairsPerWrite) await write()
    }
    if (batch.length > 0) await write()
    return loaded
  } finally {
    await database.close()
  }
}
