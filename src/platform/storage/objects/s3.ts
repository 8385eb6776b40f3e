import { mkdir } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  type MultipartUpload,
} from '@aws-sdk/client-s3'
import { PaveError } from '../../errors.ts'
import { openFileCache } from './file-cache.ts'
import { openLocalObjectStore } from './local.ts'
import { type Digest, type ObjectStore, objectFailure, type StoredObject } from './object-store.ts'
import { connectS3, parseS3Url, type S3Connection, type S3Timeouts, usualTimeouts } from './s3-connection.ts'
import { download, isAbsent } from './s3-download.ts'
import { partBytes, upload } from './s3-upload.ts'
import { drain, hexOf, isHex, shardedName, verified } from './verify.ts'

/**
 * A bucket, with `prefix/sha256/ab/ab12…` for the objects, behind a directory of local copies. What is put is written
 * there first, because its name is known only when the last byte was hashed.
 *
 * @throws what only an operator can mend (`object_store_misconfigured`, `object_store_denied`); a store that is down now
 * may be up when it is needed
 */
export async function openS3ObjectStore(
  url: string,
  options: { cacheDirectory: string; timeouts?: Partial<S3Timeouts> },
): Promise<ObjectStore> {
  const s3 = connectS3(parseS3Url(url), { ...usualTimeouts, ...options.timeouts })
  const keyOf = (digest: Digest) => s3.prefix + shardedName(digest)
  await checkBucket(s3)
  await mkdir(options.cacheDirectory, { recursive: true, mode: 0o700 })
  const local = await openLocalObjectStore(pathToFileURL(options.cacheDirectory).href)
  const cache = await openFileCache(local, s3.cacheBytes)

  const store: ObjectStore = {
    localDirectory: options.cacheDirectory,

    async put(content, putOptions) {
      const stored = await cache.put(content, putOptions)
      const path = cache.pathOf(stored.digest)
      const key = keyOf(stored.digest)
      if (await isUploaded(s3, key, path, stored, { replace: false })) return stored
      if (await isUploaded(s3, key, path, stored, { replace: true })) return stored
      throw objectFailure('object_store_unavailable', `${stored.digest} was uploaded twice, and is not there`)
    },

    async open(digest) {
      hexOf(digest)
      const copy = await cache.find(digest)
      if (copy !== undefined) return local.open(digest)
      const { pieces, cancel } = await download(s3, keyOf(digest), digest)
      return Readable.from(verified(pieces, digest), { objectMode: false }).once('close', cancel)
    },

    async read(digest, { maxBytes }) {
      hexOf(digest)
      if ((await cache.find(digest)) !== undefined) return local.read(digest, { maxBytes })
      const { size, pieces, cancel } = await download(s3, keyOf(digest), digest)
      if (size > maxBytes) {
        cancel()
        throw objectFailure('object_too_large', `Object ${digest} has ${size} bytes, ${maxBytes} are allowed`)
      }
      return buffer(verified(pieces, digest))
    },

    async stat(digest) {
      const size = await sizeOf(s3, keyOf(digest))
      return size === undefined ? undefined : { digest, size }
    },

    has: async (digest) => (await store.stat(digest)) !== undefined,

    async delete(digest) {
      const there = await store.has(digest)
      const command = new DeleteObjectCommand({ Bucket: s3.bucket, Key: keyOf(digest) })
      if (there) await s3.call((client, abortSignal) => client.send(command, { abortSignal }))
      await cache.forget(digest)
      return there
    },

    async *list() {
      const Prefix = `${s3.prefix}sha256/`
      let ContinuationToken: string | undefined
      do {
        const command = new ListObjectsV2Command({ Bucket: s3.bucket, Prefix, ContinuationToken })
        const page = await s3.call((client, abortSignal) => client.send(command, { abortSignal }))
        for (const { Key = '', Size = 0 } of page.Contents ?? []) {
          const hex = Key.slice(Key.lastIndexOf('/') + 1)
          if (isHex(hex) && Key === keyOf(`sha256:${hex}`)) yield { digest: `sha256:${hex}`, size: Size }
        }
        ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined
      } while (ContinuationToken !== undefined)
    },

    async localPath(digest) {
      hexOf(digest)
      return (await cache.find(digest)) ?? cache.fill(digest, () => fetchCopy(s3, keyOf(digest), digest))
    },

    async sweepTemp(before) {
      let swept = await local.sweepTemp(before)
      for await (const unfinished of unfinishedUploads(s3)) {
        if ((await lastPartOf(s3, unfinished)) >= before) continue
        const { Key, UploadId } = unfinished
        const command = new AbortMultipartUploadCommand({ Bucket: s3.bucket, Key, UploadId })
        await s3.call((client, abortSignal) => client.send(command, { abortSignal }))
        swept++
      }
      return swept
    },
  }
  return store
}

/** Listing tells what is wrong in words, which HEAD cannot; and it is needed anyway. */
async function checkBucket(s3: S3Connection): Promise<void> {
  const command = new ListObjectsV2Command({ Bucket: s3.bucket, Prefix: s3.prefix, MaxKeys: 1 })
  try {
    await s3.call((client, abortSignal) => client.send(command, { abortSignal }))
  } catch (error) {
    if (!(error instanceof PaveError && error.code === 'object_store_unavailable')) throw error
  }
}

/**
 * Uploads, and answers whether these bytes are now there. The acknowledgement of an upload in parts is not enough: it
 * may have been tried again, and a server that was killed while it put the parts together may take the second attempt
 * for one that goes on.
 */
async function isUploaded(
  s3: S3Connection,
  key: string,
  path: string,
  stored: StoredObject,
  options: { replace: boolean },
): Promise<boolean> {
  if (!(await upload(s3, key, path, stored, options))) return isSound(s3, key, stored)
  return stored.size <= partBytes || (await sizeOf(s3, key)) === stored.size
}

async function sizeOf(s3: S3Connection, key: string): Promise<number | undefined> {
  const command = new HeadObjectCommand({ Bucket: s3.bucket, Key: key })
  return s3.call(async (client, abortSignal) => {
    try {
      return (await client.send(command, { abortSignal })).ContentLength ?? 0
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
  })
}

/** Somebody stored something under this name; whether it is these bytes only they can tell. */
async function isSound(s3: S3Connection, key: string, { digest }: StoredObject): Promise<boolean> {
  try {
    const { pieces } = await download(s3, key, digest)
    await drain(verified(pieces, digest))
    return true
  } catch (error) {
    if (error instanceof PaveError && (error.code === 'object_corrupt' || error.code === 'object_not_found'))
      return false
    throw error
  }
}

async function fetchCopy(s3: S3Connection, key: string, digest: Digest): Promise<AsyncIterable<Uint8Array>> {
  const { pieces } = await download(s3, key, digest)
  return verified(pieces, digest)
}

async function* unfinishedUploads(s3: S3Connection): AsyncGenerator<MultipartUpload> {
  const place = { Bucket: s3.bucket, Prefix: `${s3.prefix}sha256/` }
  let markers = {}
  for (;;) {
    const command = new ListMultipartUploadsCommand({ ...place, ...markers })
    const page = await s3.call((client, abortSignal) => client.send(command, { abortSignal }))
    yield* page.Uploads ?? []
    if (page.IsTruncated !== true) return
    markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
  }
}

/** When it was begun or got its last part. */
async function lastPartOf(s3: S3Connection, upload: MultipartUpload): Promise<number> {
  let newest = upload.Initiated?.getTime() ?? 0
  let PartNumberMarker: string | undefined
  do {
    const { Key, UploadId } = upload
    const command = new ListPartsCommand({ Bucket: s3.bucket, Key, UploadId, PartNumberMarker })
    const page = await s3.call((client, abortSignal) => client.send(command, { abortSignal }))
    for (const { LastModified } of page.Parts ?? []) newest = Math.max(newest, LastModified?.getTime() ?? 0)
    PartNumberMarker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined
  } while (PartNumberMarker !== undefined)
  return newest
}
