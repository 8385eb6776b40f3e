import { type ObjectStore, objectFailure } from './object-store.ts'

/**
 * Opens the store that the URL names: `file:///var/lib/pave/objects` is a local directory, created when missing;
 * `s3://bucket/prefix?endpoint=…` is a bucket, of which copies are kept in `cacheDirectory`.
 */
export async function openObjectStore(url: string, options: { cacheDirectory: string }): Promise<ObjectStore> {
  const protocol = URL.parse(url)?.protocol
  if (protocol === 'file:') return (await import('./local.ts')).openLocalObjectStore(url)
  if (protocol === 's3:') return (await import('./s3.ts')).openS3ObjectStore(url, options)
  throw objectFailure('object_store_unsupported', `No object store is known for ${protocol ?? 'what is no URL'}`)
}
