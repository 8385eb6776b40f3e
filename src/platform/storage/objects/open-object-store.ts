import { type ObjectStore, objectFailure } from './object-store.ts'

/** Opens the store that the URL names; `file:///var/lib/pave/objects` is a local directory, created when missing. */
export async function openObjectStore(url: string): Promise<ObjectStore> {
  const protocol = URL.parse(url)?.protocol
  if (protocol === 'file:') return (await import('./local.ts')).openLocalObjectStore(url)
  throw objectFailure('object_store_unsupported', `No object store is known for ${url}`)
}
