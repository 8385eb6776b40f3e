import { createHash } from 'node:crypto'
import { defineErrors, failure } from '../../errors.ts'

/** Where a value is: `namespace` separates feature views and workspaces, `key` is the entity inside it. */
export interface OnlineKey {
  /** 1 to 200 bytes of UTF-8, no NUL. */
  namespace: string
  /** Any length; a string is the same key as its UTF-8 bytes. */
  key: string | Uint8Array
}

/** The latest feature values of each entity, for serving. One process writes; any number reads and sees writes at once. */
export interface OnlineStore {
  /**
   * The values in the order of the keys, `undefined` where there is none. An embedded store answers at once, a remote
   * one with a promise: `const found = store.getMany(keys); const values = found instanceof Promise ? await found : found`.
   */
  getMany(keys: readonly OnlineKey[]): OnlineValues | Promise<OnlineValues>
  /** All or nothing; resolved when it is on disk. It may be repeated after a failure. When a key occurs twice the later put wins; deletes come first. */
  writeBatch(batch: OnlineBatch): Promise<void>
  /** Deletes every key of the namespace, in batches; returns how many. */
  deleteNamespace(namespace: string): Promise<number>
  close(): Promise<void>
}

export type OnlineValues = (Uint8Array | undefined)[]

export interface OnlineBatch {
  puts?: readonly { key: OnlineKey; value: Uint8Array }[]
  deletes?: readonly OnlineKey[]
}

export interface OnlineStoreOptions {
  /** Opens for reading: the inference plane. */
  readOnly?: boolean
}

export const onlineErrors = defineErrors({
  online_store_read_only: {
    status: 500,
    summary: 'This process opened the online store for reading.',
    hint: 'Write through the control plane.',
  },
  online_store_unsupported: {
    status: 500,
    summary: 'No adapter knows this kind of online store.',
    hint: 'Use an lmdb:///file or a redis://host:6379/0 URL.',
  },
  online_store_unavailable: {
    status: 503,
    summary: 'The online store cannot be reached, or does not answer in time.',
    hint: 'Retry shortly: the same batch is applied once. If it goes on, look at Redis and at the network between.',
  },
  online_store_full: {
    status: 507,
    summary: 'The online store has no memory or no disk space left.',
    hint: 'Raise maxmemory or free space on the disk of Redis, then retry; nothing of the batch was kept.',
  },
  online_store_denied: {
    status: 502,
    summary: 'The online store refuses the credentials, or what Pave does with them.',
    hint: 'Put a user and password into ONLINE_URL that may use the commands of hashes, transactions, INFO and CONFIG GET.',
  },
  online_store_misconfigured: {
    status: 500,
    summary: 'ONLINE_URL does not describe an online store that keeps what it is given.',
    hint: 'Mend what the message names, in ONLINE_URL or in the configuration of Redis.',
  },
  online_namespace_invalid: {
    status: 422,
    summary: 'The name of an online namespace is empty, too long or holds a NUL.',
    hint: 'Use 1 to 200 bytes of UTF-8 without NUL.',
  },
})

export const onlineFailure = failure(onlineErrors)

/** LMDB refuses keys above 1978 bytes, and long keys make any index slow. */
const longestKey = 500
const longestNamespace = 200

/** `namespace NUL`, which every encoded key of the namespace starts with and no other does. */
export function encodeNamespace(namespace: string): Buffer {
  const bytes = Buffer.from(`${namespace}\0`)
  if (namespace === '' || bytes.length > longestNamespace + 1 || namespace.includes('\0'))
    throw onlineFailure('online_namespace_invalid', `${JSON.stringify(namespace)} cannot name an online namespace`)
  return bytes
}

/** `namespace NUL = key`, or `namespace NUL # sha256(key)` where that would be longer than an index likes. */
export function encodeKey({ namespace, key }: OnlineKey): Buffer {
  const prefix = encodeNamespace(namespace)
  const bytes = typeof key === 'string' ? Buffer.from(key) : key
  return prefix.length + 1 + bytes.length <= longestKey
    ? Buffer.concat([prefix, plainKey, bytes])
    : Buffer.concat([prefix, hashedKey, createHash('sha256').update(bytes).digest()])
}

const plainKey = Buffer.from('=')
const hashedKey = Buffer.from('#')
