import type { Readable } from 'node:stream'
import { defineErrors, failure } from '../../errors.ts'

/** `sha256:` and 64 lower-case hex digits: the name of an object is the digest of its bytes. */
export type Digest = string

export interface StoredObject {
  digest: Digest
  /** Bytes. */
  size: number
}

/**
 * Immutable bytes, named by their sha256. Every way out of the store is checked against the name: what differs is
 * `object_corrupt`, what is missing is `object_not_found`.
 */
export interface ObjectStore {
  /**
   * Stores the bytes durably, in constant memory; storing what is there already succeeds and mends a damaged copy.
   * Errors: `object_digest_mismatch`, `object_too_large`, `disk_full`; after any of them nothing half-written is left.
   * Every method of a remote store may fail with the `object_store_…` errors below.
   */
  put(content: ObjectContent, options?: PutOptions): Promise<StoredObject>
  /** A stream that fails with `object_corrupt` in place of its end when the bytes do not match the digest. */
  open(digest: Digest): Promise<Readable>
  /** The whole object, verified before it is returned; `object_too_large` beyond `maxBytes`. */
  read(digest: Digest, options: { maxBytes: number }): Promise<Buffer>
  stat(digest: Digest): Promise<StoredObject | undefined>
  has(digest: Digest): Promise<boolean>
  /** True when there was something to delete. */
  delete(digest: Digest): Promise<boolean>
  /**
   * Deletes the object unless it was put after `before` (epoch ms), however short a time ago; answers what was deleted.
   * Absent where a store cannot tell: nothing is ever deleted there.
   */
  deleteOlder?(digest: Digest, before: number): Promise<StoredObject | 'newer' | undefined>
  list(): AsyncIterable<StoredObject>
  /**
   * Path of a verified, read-only local file with these bytes, for engines that read files themselves. The file of a
   * remote store is a copy that stays for an hour at least.
   */
  localPath(digest: Digest): Promise<string>
  /** What every local path is below. */
  readonly localDirectory: string
  /** Deletes what interrupted puts left behind and nobody has written to since `before` (epoch ms); returns how many. */
  sweepTemp(before: number): Promise<number>
}

export type ObjectContent = string | Uint8Array | AsyncIterable<Uint8Array>

export interface PutOptions {
  /** Refuses the bytes unless they have this digest. */
  expectedDigest?: Digest
  maxBytes?: number
}

export const objectErrors = defineErrors({
  object_not_found: {
    status: 404,
    summary: 'The object store has no object with this digest.',
    hint: 'Upload it again, or restore the object store from the backup that belongs to this database.',
  },
  object_corrupt: {
    status: 500,
    summary: 'The stored bytes do not match their digest.',
    hint: 'Upload the same bytes again: that replaces the damaged copy. Then check the disk.',
  },
  object_digest_mismatch: {
    status: 422,
    summary: 'The bytes received do not have the digest that was announced.',
    hint: 'Compute the sha256 of the file again and repeat the upload.',
  },
  object_too_large: {
    status: 413,
    summary: 'The object is larger than allowed here.',
    hint: 'Store a smaller object, or raise the limit in the configuration.',
  },
  object_store_unsupported: {
    status: 500,
    summary: 'No adapter knows this kind of object store.',
    hint: 'Use a file:///directory or an s3://bucket/prefix URL.',
  },
  object_store_unavailable: {
    status: 503,
    summary: 'The object store cannot be reached, or does not answer in time.',
    hint: 'Retry shortly; nothing half-written shows. If it goes on, look at the store and at the network between.',
  },
  object_store_full: {
    status: 507,
    summary: 'The object store has no space left, or a quota is used up.',
    hint: 'Free space in the store or raise the quota, then retry; nothing half-written shows.',
  },
  object_store_denied: {
    status: 502,
    summary: 'The object store refuses the credentials, or what Pave does with them.',
    hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or a profile or role) with the rights to read, write, list and delete in the bucket.',
  },
  object_store_misconfigured: {
    status: 500,
    summary: 'OBJECTS_URL does not describe an object store that works.',
    hint: 'Write OBJECTS_URL=s3://bucket/prefix?endpoint=https://host&region=name&pathStyle=true, and create the bucket first.',
  },
  object_digest_invalid: {
    status: 422,
    summary: 'This is not a digest.',
    hint: 'A digest is `sha256:` followed by 64 lower-case hex digits.',
  },
})

export const objectFailure = failure(objectErrors)
