import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { PaveError } from '../errors.ts'
import type { ObjectStore, StoredObject } from '../storage/objects/object-store.ts'

/** Small objects cost a wait for the disk each, and several disks or requests wait at once. */
const atOnce = 8

/** What became of objects that could not be copied. */
export interface ObjectLoss {
  digest: string
  code: 'object_not_found' | 'object_corrupt'
}

/** Copies what `target` lacks, checking every byte against the name on the way; says what could not be had. */
export async function copyObjects(
  objects: AsyncIterable<StoredObject> | Iterable<StoredObject>,
  from: ObjectStore,
  to: ObjectStore,
  onObject: (object: StoredObject) => void,
): Promise<ObjectLoss[]> {
  const lost: ObjectLoss[] = []
  await each(objects, async (object) => {
    const { digest, size } = object
    try {
      if ((await to.stat(digest))?.size !== size) await to.put(await from.open(digest), { expectedDigest: digest })
      onObject(object)
    } catch (error) {
      if (!(error instanceof PaveError)) throw error
      if (error.code !== 'object_not_found' && error.code !== 'object_corrupt') throw error
      lost.push({ digest, code: error.code })
    }
  })
  return lost
}

/** Reads every object to its end; says which are missing or damaged. */
export async function checkObjects(
  objects: Iterable<StoredObject>,
  store: ObjectStore,
  onObject: (object: StoredObject) => void,
): Promise<ObjectLoss[]> {
  const lost: ObjectLoss[] = []
  await each(objects, async (object) => {
    try {
      for await (const _ of await store.open(object.digest));
      onObject(object)
    } catch (error) {
      if (!(error instanceof PaveError)) throw error
      if (error.code !== 'object_not_found' && error.code !== 'object_corrupt') throw error
      lost.push({ digest: object.digest, code: error.code })
    }
  })
  return lost
}

export interface StoredFile extends StoredObject {
  /** Relative to the data directory. */
  path: string
}

/** Keeps files of the data directory among the objects; what is gone by now is answered as missing. */
export async function keepFiles(
  dataDir: string,
  paths: readonly string[],
  to: ObjectStore,
): Promise<{ kept: StoredFile[]; missing: string[] }> {
  const kept: StoredFile[] = []
  const missing: string[] = []
  await each(paths, async (path) => {
    try {
      kept.push({ path, ...(await to.put(createReadStream(join(dataDir, path)))) })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
      missing.push(path)
    }
  })
  return { kept: kept.sort((a, b) => (a.path < b.path ? -1 : 1)), missing: missing.sort() }
}

/** Works on several at once, and stops at the first failure. */
async function each<T>(items: AsyncIterable<T> | Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const running = new Set<Promise<void>>()
  for await (const item of items) {
    const one = work(item).finally(() => running.delete(one))
    one.catch(() => {})
    running.add(one)
    if (running.size >= atOnce) await Promise.race(running)
  }
  await Promise.all(running)
}

export const lineOf = ({ digest, size }: StoredObject): string => `${digest} ${size}\n`
export const fileLineOf = ({ digest, size, path }: StoredFile): string => `${digest} ${size} ${path}\n`

/** A line of either list. */
export function readLine(line: string): StoredFile {
  const [digest = '', size = '', ...path] = line.split(' ')
  return { digest, size: Number(size), path: path.join(' ') }
}
