import { type OnlineStore, type OnlineStoreOptions, onlineFailure } from './online-store.ts'

/** Opens the store that the URL names; `lmdb:///var/lib/pave/online` is an LMDB file, created when missing. */
export async function openOnlineStore(url: string, options: OnlineStoreOptions = {}): Promise<OnlineStore> {
  const protocol = URL.parse(url)?.protocol
  if (protocol === 'lmdb:') return (await import('./lmdb.ts')).openLmdbStore(url, options)
  throw onlineFailure('online_store_unsupported', `No online store is known for ${url}`)
}
