import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { platformFailure } from '../../errors.ts'
import {
  type Digest,
  type ObjectContent,
  type ObjectStore,
  objectFailure,
  type PutOptions,
  type StoredObject,
} from './object-store.ts'
import { drain, hexOf, isHex, shardedName, verified } from './verify.ts'

/** Remembered verifications: enough for everything a process serves, small enough to forget about. */
const mostVerified = 10_000

/** What `tmp/` holds besides unfinished puts begins so. */
const withdrawn = 'withdrawn-'

/** A directory: `sha256/ab/ab12…` for the objects, `tmp/` for what is being written. */
export async function openLocalObjectStore(url: string): Promise<ObjectStore> {
  const root = fileURLToPath(url)
  const objects = join(root, 'sha256')
  const temp = join(root, 'tmp')
  const pathOf = (digest: Digest) => join(root, shardedName(digest))
  await makeDirectory(temp)
  for (let shard = 0; shard < 256; shard++)
    await mkdir(join(objects, shard.toString(16).padStart(2, '0')), { recursive: true })
  await syncDirectory(objects)
  await syncDirectory(root)
  const verifications = new Map<string, Promise<void>>()

  const store: ObjectStore = {
    localDirectory: root,

    async put(content, options = {}) {
      if (options.expectedDigest !== undefined) hexOf(options.expectedDigest)
      const [path, file] = await createTemp(temp)
      try {
        const stored = await write(file, content, options)
        const target = pathOf(stored.digest)
        await rename(path, target)
        await syncDirectory(dirname(target))
        return stored
      } catch (error) {
        await rm(path, { force: true })
        await file.close()
        throw fullDisk(error) ? diskFull(root, error) : error
      }
    },

    async open(digest) {
      const source = (await openObject(pathOf(digest), digest)).createReadStream()
      const stream = Readable.from(verified(source, digest), { objectMode: false })
      // A generator that was never asked for anything does not close its source.
      return stream.once('close', () => source.destroy())
    },

    async read(digest, { maxBytes }) {
      const found = await store.stat(digest)
      if (found && found.size > maxBytes)
        throw objectFailure('object_too_large', `Object ${digest} has ${found.size} bytes, ${maxBytes} are allowed`)
      return buffer(await store.open(digest))
    },

    async stat(digest) {
      const found = await unlessMissing(stat(pathOf(digest)))
      return found && { digest, size: found.size }
    },

    has: async (digest) => (await store.stat(digest)) !== undefined,

    async delete(digest) {
      const deleted = (await unlessMissing(rm(pathOf(digest)).then(() => true))) ?? false
      if (deleted) await syncDirectory(dirname(pathOf(digest)))
      return deleted
    },

    async deleteOlder(digest, before) {
      const path = pathOf(digest)
      const found = await unlessMissing(stat(path))
      if (found === undefined) return undefined
      if (found.mtimeMs >= before) return 'newer'
      // Aside first: between the look and the deletion the same bytes may have been put again.
      const aside = join(temp, `${withdrawn}${hexOf(digest)}`)
      if ((await unlessMissing(rename(path, aside).then(() => true))) === undefined) return undefined
      const taken = await unlessMissing(stat(aside))
      if (taken === undefined || taken.mtimeMs >= before) {
        await unlessMissing(rename(aside, path))
        return 'newer'
      }
      // Another process that starts just now puts back what lies aside.
      if ((await unlessMissing(rm(aside).then(() => true))) === undefined) return 'newer'
      await syncDirectory(dirname(path))
      return { digest, size: taken.size }
    },

    async *list() {
      for await (const shard of await opendir(objects)) {
        for await (const { name } of await opendir(join(objects, shard.name))) {
          const found = isHex(name) ? await store.stat(`sha256:${name}`) : undefined
          if (found) yield found
        }
      }
    },

    async localPath(digest) {
      const path = pathOf(digest)
      const found = await unlessMissing(stat(path, { bigint: true }))
      if (found === undefined) throw notFound(digest)
      const state = `${path} ${found.ino} ${found.size} ${found.mtimeNs}`
      const known = verifications.get(state)
      if (known) {
        await known
        return path
      }
      const verification = store.open(digest).then(drain)
      verifications.set(state, verification)
      const [oldest] = verifications.keys()
      if (verifications.size > mostVerified && oldest !== undefined) verifications.delete(oldest)
      try {
        await verification
      } catch (error) {
        verifications.delete(state)
        throw error
      }
      return path
    },

    async sweepTemp(before) {
      let swept = 0
      for await (const { name } of await opendir(temp)) {
        const path = join(temp, name)
        if (name.startsWith(withdrawn)) {
          // A crash came before it was certain that it may go.
          await unlessMissing(rename(path, pathOf(`sha256:${name.slice(withdrawn.length)}`)))
          continue
        }
        const found = await unlessMissing(stat(path))
        if (found === undefined || found.mtimeMs >= before) continue
        await rm(path, { force: true })
        swept++
      }
      return swept
    },
  }
  return store
}

/** What is written at once while more arrives, and what may lie unsynced in the system's memory. */
const writtenBytes = 256 * 1024
const unsyncedBytes = 16 * 1024 * 1024

/**
 * Writes, counts, hashes and syncs; the file is closed and read-only afterwards. The disk is at work while bytes arrive: to
 * sync all of them at the end would take as long again as to receive them.
 */
async function write(file: FileHandle, content: ObjectContent, options: PutOptions): Promise<StoredObject> {
  const hash = createHash('sha256')
  const { maxBytes = Number.POSITIVE_INFINITY, expectedDigest } = options
  let size = 0
  let syncedAt = 0
  let pieces: Uint8Array[] = []
  let held = 0
  const working = { writing: Promise.resolve(), syncing: Promise.resolve() }
  try {
    for await (const chunk of chunks(content)) {
      size += chunk.length
      if (size > maxBytes) throw objectFailure('object_too_large', `The object has more than ${maxBytes} bytes`)
      hash.update(chunk)
      pieces.push(chunk)
      held += chunk.length
      if (held < writtenBytes) continue
      await working.writing
      working.writing = unminded(writeAll(file, pieces))
      pieces = []
      held = 0
      if (size - syncedAt < unsyncedBytes) continue
      // A sync that fails says so once: the next one would know nothing of it.
      await working.syncing
      working.syncing = unminded(file.datasync())
      syncedAt = size
    }
    await working.writing
    await writeAll(file, pieces)
    await working.syncing
  } catch (error) {
    // Nothing may still write to the file when its number is another's.
    await Promise.allSettled(Object.values(working))
    throw error
  }
  const digest = `sha256:${hash.digest('hex')}`
  if (expectedDigest !== undefined && expectedDigest !== digest)
    throw objectFailure('object_digest_mismatch', `The bytes received have digest ${digest}, not ${expectedDigest}`)
  await file.chmod(0o444)
  await file.sync()
  await file.close()
  return { digest, size }
}

async function writeAll(file: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  const { bytesWritten } = await file.writev(pieces)
  if (bytesWritten === pieces.reduce((sum, piece) => sum + piece.length, 0)) return
  // A disk that fills up takes a part, and says why when it is given the rest.
  await file.writeFile(Buffer.concat(pieces).subarray(bytesWritten))
}

/** It is awaited later, and no unhandled rejection until then. */
function unminded(promise: Promise<void>): Promise<void> {
  promise.catch(() => {})
  return promise
}

async function* chunks(content: ObjectContent): AsyncGenerator<Uint8Array> {
  if (typeof content === 'string') yield Buffer.from(content)
  else if (content instanceof Uint8Array) yield content
  else yield* content
}

let temps = 0

/** Another process, or one before a crash, may have taken the name: then the next is tried. */
async function createTemp(directory: string): Promise<[string, FileHandle]> {
  for (;;) {
    const path = join(directory, `${process.pid}-${temps++}`)
    try {
      return [path, await open(path, 'wx')]
    } catch (error) {
      if (fullDisk(error)) throw diskFull(directory, error)
      if (!hasCode(error, 'EEXIST')) throw error
    }
  }
}

async function openObject(path: string, digest: Digest): Promise<FileHandle> {
  const file = await unlessMissing(open(path))
  if (file === undefined) throw notFound(digest)
  return file
}

/** Syncs every parent of what it created, so that the names survive a loss of power. */
async function makeDirectory(path: string): Promise<void> {
  const first = (await mkdir(path, { recursive: true })) ?? ''
  for (let made = path; first !== '' && made.length >= first.length; made = dirname(made))
    await syncDirectory(dirname(made))
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

async function unlessMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

const hasCode = (error: unknown, code: string) => error instanceof Error && 'code' in error && error.code === code
const fullDisk = (error: unknown) => hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT')
const diskFull = (directory: string, cause: unknown) =>
  platformFailure('disk_full', `No space is left on the disk of ${directory}`, { cause })
const notFound = (digest: Digest) => objectFailure('object_not_found', `There is no object ${digest}`)
