import { type OnlineStore, type OnlineStoreOptions, onlineFailure } from './online-store.ts'

const redisProtocols = ['redis:', 'rediss:', 'redis+cluster:', 'rediss+cluster:']

/**
 * Opens the store that the URL names: `lmdb:///var/lib/pave/online` is an LMDB file, created when missing;
 * `redis://host:6379/0`, `rediss://` and `redis+cluster://` are a Redis.
 */
export async function openOnlineStore(url: string, options: OnlineStoreOptions = {}): Promise<OnlineStore> {
  const protocol = URL.parse(url)?.protocol ?? ''
  if (protocol === 'lmdb:') return (await import('./lmdb.ts')).openLmdbStore(url, options)
  if (redisProtocols.includes(protocol)) return (await import('./redis.ts')).openRedisStore(url, options)
  throw onlineFailure('online_store_unsupported', `No online store is known for ${protocol || 'what is no URL'}`)
}
