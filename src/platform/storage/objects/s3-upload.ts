import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { objectFailure, type StoredObject } from './object-store.ts'
import { type S3Connection, statusOf } from './s3-connection.ts'

/** Larger files go in parts of this size. */
export const partBytes = 8 * 2 ** 20
const mostParts = 10_000
/** Many servers copy the parts into one file before they answer. */
const joiningMs = 250
const partsAtOnce = 3

/**
 * Uploads a file: at once, or in parts, of which few are in memory. Each body goes with its sha256, which the store
 * compares, and the file is hashed once more on its way. Without `replace` an object that is there already is left alone.
 *
 * @returns false when there was one
 */
export async function upload(
  s3: S3Connection,
  key: string,
  path: string,
  { digest, size }: StoredObject,
  { replace }: { replace: boolean },
): Promise<boolean> {
  const file = await open(path)
  try {
    const condition = replace ? {} : { IfNoneMatch: '*' }
    const target = { Bucket: s3.bucket, Key: key }
    if (size > partBytes) return await uploadParts(s3, target, file, { digest, size }, condition)
    const body = await readAt(file, 0, size)
    const checksum = sha256(body)
    if (`sha256:${checksum.toString('hex')}` !== digest) throw changedMeanwhile(digest)
    const put = { ...target, ...condition, Body: body, ChecksumSHA256: checksum.toString('base64') }
    return await s3.call((client, abortSignal) => whenAbsent(client.send(new PutObjectCommand(put), { abortSignal })))
  } finally {
    await file.close()
  }
}

interface Target {
  Bucket: string
  Key: string
}

async function uploadParts(
  s3: S3Connection,
  target: Target,
  file: FileHandle,
  { digest, size }: StoredObject,
  condition: { IfNoneMatch?: string },
): Promise<boolean> {
  const create = new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'SHA256' })
  const { UploadId } = await s3.call((client, abortSignal) => client.send(create, { abortSignal }))
  const upload = { ...target, UploadId }
  let completed = false
  try {
    const parts = await sendParts(s3, upload, file, { digest, size })
    const complete = { ...upload, ...condition, MultipartUpload: { Parts: parts } }
    completed = await s3.call(
      (client, abortSignal) => whenAbsent(client.send(new CompleteMultipartUploadCommand(complete), { abortSignal })),
      { moreMs: parts.length * joiningMs },
    )
    return completed
  } finally {
    // Once, and without its failure: the caller must hear the first one, and what stays behind is swept later.
    if (!completed) await abortUpload(s3, upload).catch(() => undefined)
  }
}

function abortUpload(s3: S3Connection, upload: Target & { UploadId: string | undefined }): Promise<unknown> {
  const abortSignal = AbortSignal.timeout(s3.timeouts.stallMs)
  return s3.client.send(new AbortMultipartUploadCommand(upload), { abortSignal })
}

/** In the order of the file, so that one hash sees it all; some parts are on their way while the next is read. */
async function sendParts(
  s3: S3Connection,
  upload: Target & { UploadId: string | undefined },
  file: FileHandle,
  { digest, size }: StoredObject,
): Promise<CompletedPart[]> {
  const length = Math.max(partBytes, Math.ceil(size / mostParts))
  const whole = createHash('sha256')
  const parts: CompletedPart[] = []
  const onTheirWay = new Set<Promise<void>>()
  try {
    for (let start = 0; start < size; start += length) {
      if (onTheirWay.size >= partsAtOnce) await Promise.race(onTheirWay)
      const body = await readAt(file, start, Math.min(length, size - start))
      whole.update(body)
      const checksum = sha256(body).toString('base64')
      const PartNumber = parts.length + 1
      const part: CompletedPart = { PartNumber, ChecksumSHA256: checksum }
      parts.push(part)
      const send = new UploadPartCommand({ ...upload, PartNumber, Body: body, ChecksumSHA256: checksum })
      const sending = s3
        .call((client, abortSignal) => client.send(send, { abortSignal }))
        .then(({ ETag }) => {
          if (ETag !== undefined) part.ETag = ETag
          onTheirWay.delete(sending)
        })
      // It is looked at when there is room for another one; until then a failure has no reader.
      sending.catch(() => undefined)
      onTheirWay.add(sending)
    }
    await Promise.all(onTheirWay)
  } finally {
    await Promise.allSettled(onTheirWay)
  }
  if (`sha256:${whole.digest('hex')}` !== digest) throw changedMeanwhile(digest)
  return parts
}

async function readAt(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const body = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(body, filled, length - filled, start + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return body.subarray(0, filled)
}

/** Whether it was stored: a condition that failed is an answer. So is an upload that is gone, as after an answer that got lost. */
function whenAbsent(sending: Promise<unknown>): Promise<boolean> {
  return sending.then(
    () => true,
    (error: unknown) => {
      if (statusOf(error) === 412 || (error instanceof Error && error.name === 'NoSuchUpload')) return false
      throw error
    },
  )
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
const changedMeanwhile = (digest: string) =>
  objectFailure('object_corrupt', `The local copy of ${digest} changed before it was uploaded`, {
    hint: 'Check the disk of the data directory, then upload the same bytes again.',
  })
