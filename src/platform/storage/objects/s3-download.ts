import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { type Digest, objectFailure } from './object-store.ts'
import { explainS3, type S3Connection, statusOf } from './s3-connection.ts'

export interface Download {
  /** What the store says; the bytes may say otherwise. */
  size: number
  /** As the store gives them, unverified. */
  pieces: AsyncGenerator<Uint8Array>
  /** Ends what nobody has begun to read. */
  cancel(): void
}

const beforeResumingMs = 100

/**
 * An answer that breaks off or stands still is taken up where it ended.
 *
 * @throws `object_not_found` at once
 */
export async function download(s3: S3Connection, key: string, digest: Digest): Promise<Download> {
  const first = await request(s3, key, digest, 0)
  return { ...first, pieces: pieces(s3, key, digest, first.body), cancel: () => first.body.destroy() }
}

async function* pieces(s3: S3Connection, key: string, digest: Digest, first: Readable): AsyncGenerator<Uint8Array> {
  let body = first
  let received = 0
  let stuckSince: number | undefined
  for (;;) {
    try {
      for await (const piece of unlessStalled(body, s3.timeouts.stallMs)) {
        received += piece.length
        stuckSince = undefined
        yield piece
      }
      return
    } catch (error) {
      stuckSince ??= performance.now()
      if (performance.now() - stuckSince > s3.timeouts.patienceMs) throw explainS3(error, s3)
    }
    await pause(beforeResumingMs)
    body = (await request(s3, key, digest, received)).body
  }
}

async function request(s3: S3Connection, key: string, digest: Digest, from: number) {
  const range = from > 0 ? { Range: `bytes=${from}-` } : {}
  const command = new GetObjectCommand({ Bucket: s3.bucket, Key: key, ...range })
  return s3.call(async (client, abortSignal) => {
    const answer = await client.send(command, { abortSignal }).catch((error: unknown) => {
      throw absence(error, digest, from) ?? error
    })
    const { Body, ContentLength = 0 } = answer
    if (!(Body instanceof Readable)) throw new TypeError('The answer of the object store has no body')
    if (from > 0 && answer.$metadata.httpStatusCode !== 206) {
      Body.destroy()
      throw objectFailure('object_store_misconfigured', 'The object store does not answer range requests')
    }
    return { size: ContentLength, body: Body }
  })
}

function absence(error: unknown, digest: Digest, from: number): unknown {
  if (statusOf(error) === 416) return objectFailure('object_corrupt', `Object ${digest} ends after ${from} bytes`)
  return isAbsent(error) ? objectFailure('object_not_found', `There is no object ${digest}`) : undefined
}

/** Of the object, not of the bucket. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound')
}

/** Fails when the store takes longer than this for a piece; time that the reader takes does not count. */
async function* unlessStalled(body: Readable, stallMs: number): AsyncGenerator<Uint8Array> {
  const wait = () => setTimeout(() => body.destroy(new Error(`nothing came for ${stallMs} ms`)), stallMs)
  let timer = wait()
  try {
    for await (const piece of body) {
      clearTimeout(timer)
      yield piece
      timer = wait()
    }
  } finally {
    clearTimeout(timer)
  }
}
