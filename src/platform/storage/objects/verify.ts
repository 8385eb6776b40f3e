import { createHash } from 'node:crypto'
import { type Digest, objectFailure } from './object-store.ts'

/** Passes the bytes through and fails with `object_corrupt` instead of ending when they do not match the digest. */
export async function* verified(source: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  for await (const chunk of source) {
    hash.update(chunk)
    yield chunk
  }
  const found = `sha256:${hash.digest('hex')}`
  if (found !== digest)
    throw objectFailure('object_corrupt', `Object ${digest} is damaged: its bytes now have digest ${found}`)
}

/** `sha256/ab/ab12…`: the same in a directory and in a bucket, so that the one can be copied to the other as it is. */
export function shardedName(digest: Digest): string {
  const hex = hexOf(digest)
  return `sha256/${hex.slice(0, 2)}/${hex}`
}

/** The hex part; everything that becomes a path or a key goes through here. */
export function hexOf(digest: Digest): string {
  const hex = digest.slice('sha256:'.length)
  if (!digest.startsWith('sha256:') || !isHex(hex))
    throw objectFailure('object_digest_invalid', `${JSON.stringify(digest.slice(0, 100))} is not a digest`)
  return hex
}

export function isHex(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

export async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}
