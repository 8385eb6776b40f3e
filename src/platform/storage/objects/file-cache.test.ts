import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openFileCache } from './file-cache.ts'
import { openLocalObjectStore } from './local.ts'
import type { ObjectStore } from './object-store.ts'

let root: string
let files: ObjectStore

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pave-cache-'))
  files = await openLocalObjectStore(pathToFileURL(root).href)
})

afterEach(() => rm(root, { recursive: true }))

const digests = async () => (await Array.fromAsync(files.list())).map(({ digest }) => digest).sort()

it('evicts what was used least recently, until the rest fits', async () => {
  const cache = await openFileCache(files, 25, 0)
  const a = await cache.put('a'.repeat(10))
  const b = await cache.put('b'.repeat(10))
  expect(await cache.find(a.digest)).toBeDefined()
  const c = await cache.put('c'.repeat(10))
  expect(await digests()).toEqual([a.digest, c.digest].sort())
  expect(await cache.find(b.digest)).toBeUndefined()
})

it('evicts nothing that may still be read, and goes on when it may not', async () => {
  const cache = await openFileCache(files, 25, 60_000)
  for (const letter of ['a', 'b', 'c']) await cache.put(letter.repeat(10))
  expect(await digests()).toHaveLength(3)
  await openFileCache(files, 25, 60_000)
  expect(await digests()).toHaveLength(2)
})

it('counts what is put twice once', async () => {
  const cache = await openFileCache(files, 25, 0)
  const { digest } = await cache.put('a'.repeat(10))
  for (let i = 0; i < 5; i++) await cache.put('a'.repeat(10))
  await cache.put('b'.repeat(10))
  expect(await cache.find(digest)).toBeDefined()
})

it('keeps nothing of a copy that could not be made, and tries again', async () => {
  const cache = await openFileCache(files, 25)
  const { digest } = await files.put('real')
  await files.delete(digest)
  const failing = async () => {
    throw new Error('no answer')
  }
  await expect(cache.fill(digest, failing)).rejects.toThrow('no answer')
  await expect(cache.fill(digest, async () => 'other bytes')).rejects.toMatchObject({ code: 'object_digest_mismatch' })
  expect(await digests()).toEqual([])
  expect(await cache.fill(digest, async () => 'real')).toContain(root)
})
