import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { unlessMissing, writeDurably } from './durable-file.ts'
import { inferenceFailure } from './errors.ts'

/** The graphs of a node on its own disk, by digest, so that it can start without the control plane. */
export interface Artifacts {
  /** Bytes that match the digest: from the disk when they still do, else fetched. */
  read(digest: string): Promise<Uint8Array>
  /** Deletes what is not among the digests. They are asked for late, so that what arrives meanwhile is among them. */
  keepOnly(digests: () => ReadonlySet<string>): Promise<void>
}

const attempts = 3
const retryAfterMs = 300
const pieceBytes = 2 ** 19

/** @param fetchObject bytes that the control plane has under a digest */
export async function openArtifacts(
  directory: string,
  fetchObject: (digest: string) => Promise<Uint8Array>,
): Promise<Artifacts> {
  await mkdir(directory, { recursive: true })
  const pathOf = (digest: string) => join(directory, digest.replace(':', '-'))

  async function fetchChecked(digest: string): Promise<Uint8Array> {
    let reason: unknown
    for (let attempt = 1; attempt <= attempts; attempt++) {
      if (attempt > 1) await new Promise((resolve) => setTimeout(resolve, retryAfterMs * (attempt - 1)))
      try {
        const bytes = await fetchObject(digest)
        const actual = await digestInTurns(bytes)
        if (actual === digest) return bytes
        reason = new Error(`its ${bytes.length} bytes have digest ${actual}`)
      } catch (error) {
        reason = error
      }
    }
    const message = reason instanceof Error ? reason.message : String(reason)
    throw inferenceFailure('artifact_unavailable', `Artifact ${digest} cannot be fetched: ${message}`, {
      cause: reason,
    })
  }

  async function readOrFetch(digest: string): Promise<Uint8Array> {
    const cached = await unlessMissing(readFile(pathOf(digest)))
    if (cached !== undefined && (await digestInTurns(cached)) === digest) return cached
    const fetched = await fetchChecked(digest)
    await writeDurably(pathOf(digest), fetched)
    return fetched
  }

  const reading = new Map<string, Promise<Uint8Array>>()
  return {
    read(digest) {
      let bytes = reading.get(digest)
      if (bytes === undefined) {
        bytes = readOrFetch(digest).finally(() => reading.delete(digest))
        reading.set(digest, bytes)
      }
      return bytes
    },
    async keepOnly(digests) {
      const names = await readdir(directory)
      const kept = new Set(Array.from(digests(), pathOf))
      for (const name of names) {
        const path = join(directory, name)
        if (!kept.has(path.replace(/\.tmp$/, ''))) await rm(path, { force: true })
      }
    },
  }
}

/** The digest of many bytes, a piece at a time, so that predictions are answered meanwhile. */
async function digestInTurns(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256')
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    hash.update(bytes.subarray(start, start + pieceBytes))
    await turn()
  }
  return `sha256:${hash.digest('hex')}`
}
