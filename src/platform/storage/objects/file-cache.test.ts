import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openFileCache } from './file-cache.ts'
import { openLocalObjectStore } from './local.ts'
import type { ObjectStore } from './object-store.ts'

const minute = 60_000
let root: string
let files: ObjectStore
let time: number

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pave-cache-'))
  files = await openLocalObjectStore(pathToFileURL(root).href)
  time = Date.now()
})

afterEach(() => rm(root, { recursive: true }))

/** Room for two objects of ten bytes, which may be evicted ten minutes after they were used. */
const open = () => openFileCache(files, 25, { usedForMs: 10 * minute, now: () => time })
const digests = async () => (await Array.fromAsync(files.list())).map(({ digest }) => digest).sort()

it('evicts what was used least recently, by whichever process, until the rest fits', async () => {
  const [cache, another] = [await open(), await open()]
  const a = await cache.put('a'.repeat(10))
  time += 20 * minute
  const b = await cache.put('b'.repeat(10))
  time += 20 * minute
  expect(await another.find(a.digest)).toBe(another.pathOf(a.digest))
  const c = await cache.put('c'.repeat(10))
  expect(await digests()).toEqual([a.digest, c.digest].sort())
  expect(await another.find(b.digest)).toBeUndefined()
})

it('evicts nothing that may still be read, and catches up when it may not', async () => {
  const cache = await open()
  for (const letter of ['a', 'b', 'c']) await cache.put(letter.repeat(10))
  expect(await digests()).toHaveLength(3)
  time += 11 * minute
  await open()
  expect(await digests()).toHaveLength(2)
})

it('verifies a copy once, however often it is used', async () => {
  const cache = await open()
  const { digest } = await cache.put('a'.repeat(10))
  const opened = vi.spyOn(files, 'open')
  for (let i = 0; i < 5; i++) {
    time += 1234
    expect(await cache.find(digest)).toBeDefined()
  }
  expect(opened).toHaveBeenCalledTimes(1)
})

it('keeps nothing of a copy that could not be made, and tries again', async () => {
  const cache = await open()
  const { digest } = await files.put('real')
  await files.delete(digest)
  const failing = async () => {
    throw new Error('no answer')
  }
  await expect(cache.fill(digest, failing)).rejects.toThrow('no answer')
  await expect(cache.fill(digest, async () => 'other bytes')).rejects.toMatchObject({ code: 'object_digest_mismatch' })
  expect(await digests()).toEqual([])
  expect(await cache.fill(digest, async () => 'real')).toBe(cache.pathOf(digest))
})
