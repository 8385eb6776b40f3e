import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { listBackups, readManifest } from './manifest.ts'
import { syncDirectory } from './part-files.ts'
import { holdPlace, placeObjects } from './take-backup.ts'
import { storedIn } from './verify-backup.ts'

/**
 * Deletes all but the newest backups of a place, then the objects that none of those left speaks of. When one that stays
 * cannot be read, nothing is deleted: it might need any object.
 */
export async function keepNewest(place: string, keep: number): Promise<{ removed: string[]; objects: number }> {
  const held = await holdPlace(place)
  try {
    const all = await listBackups(place)
    const removed = all.slice(0, Math.max(0, all.length - keep))
    const needed = new Set<string>()
    for (const name of all.slice(removed.length)) {
      const directory = join(place, name)
      for (const { digest } of await storedIn(directory, await readManifest(directory))) needed.add(digest)
    }
    for (const name of removed) await rm(join(place, name), { recursive: true, force: true })
    await syncDirectory(place)
    const store = await placeObjects(place)
    let objects = 0
    for await (const { digest } of store.list()) {
      if (!needed.has(digest) && (await store.delete(digest))) objects++
    }
    return { removed, objects }
  } finally {
    await held.release()
  }
}
