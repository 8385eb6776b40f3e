import type { StoredPair } from '../storage/online/lmdb-dump.ts'
import { backupFailure } from './errors.ts'

/** Pairs as bytes: two lengths (32 bits, big-endian), the key, the value, and so on. `counted` is told of each. */
export async function* encodePairs(pairs: AsyncIterable<StoredPair>, counted: () => void): AsyncGenerator<Buffer> {
  for await (const { key, value } of pairs) {
    const lengths = Buffer.alloc(8)
    lengths.writeUInt32BE(key.length, 0)
    lengths.writeUInt32BE(value.length, 4)
    counted()
    yield Buffer.concat([lengths, key, value])
  }
}

/** @throws `backup_damaged` when the bytes end inside a pair */
export async function* decodePairs(content: AsyncIterable<Buffer>): AsyncGenerator<StoredPair> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of content) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 8) {
      const key = 8 + rest.readUInt32BE(0)
      const value = key + rest.readUInt32BE(4)
      if (rest.length < value) break
      yield { key: rest.subarray(8, key), value: rest.subarray(key, value) }
      rest = rest.subarray(value)
    }
  }
  if (rest.length > 0) throw backupFailure('backup_damaged', 'The online features end inside a value')
}
