import { readdirSync, readlinkSync } from 'node:fs'
import { chmod, mkdtemp, open, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { objectStoreConformance } from './conformance.ts'
import { openObjectStore } from './open-object-store.ts'

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pave-objects-'))
})

afterEach(async () => {
  vi.restoreAllMocks()
  await rm(root, { recursive: true })
})

const cacheDirectory = '/nowhere'
const openStore = () => openObjectStore(pathToFileURL(root).href, { cacheDirectory })

async function overwrite(path: string, bytes: string): Promise<void> {
  await chmod(path, 0o644)
  await writeFile(path, bytes)
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

objectStoreConformance(openStore)

it('notices damage, whichever way the bytes leave', async () => {
  const store = await openStore()
  const { digest } = await store.put('weights')
  const corrupt = { code: 'object_corrupt', message: expect.stringContaining(digest) }
  const path = await store.localPath(digest)
  await overwrite(path, 'weightz')
  await expect(buffer(await store.open(digest))).rejects.toMatchObject(corrupt)
  await expect(store.read(digest, { maxBytes: 100 })).rejects.toMatchObject(corrupt)
  await expect(store.localPath(digest)).rejects.toMatchObject(corrupt)
  await overwrite(path, 'weigh')
  await expect(buffer(await store.open(digest))).rejects.toMatchObject(corrupt)
})

it('mends a damaged object when the bytes are put again', async () => {
  const store = await openStore()
  const { digest } = await store.put('weights')
  await overwrite(await store.localPath(digest), 'weightz')
  await store.put('weights')
  expect(await readFile(await store.localPath(digest), 'utf8')).toBe('weights')
})

it('lists objects only', async () => {
  const store = await openStore()
  await writeFile(join(root, 'sha256', '00', '.stray'), 'stray')
  expect(await Array.fromAsync(store.list())).toEqual([])
})

it('closes the file of a stream that nobody reads', async () => {
  const store = await openStore()
  const { digest } = await store.put('weights')
  const path = await store.localPath(digest)
  const isOpen = () => readdirSync('/proc/self/fd').some((fd) => linkOf(`/proc/self/fd/${fd}`) === path)
  const stream = await store.open(digest)
  expect(isOpen()).toBe(true)
  stream.destroy()
  await vi.waitUntil(() => !isOpen())
})

it('keeps objects read-only', async () => {
  const store = await openStore()
  const { digest } = await store.put('weights')
  expect((await stat(await store.localPath(digest))).mode & 0o777).toBe(0o444)
})

it('verifies a local file once as long as it does not change', async () => {
  const store = await openStore()
  const { digest } = await store.put('weights')
  const opened = vi.spyOn(store, 'open')
  await Promise.all([store.localPath(digest), store.localPath(digest)])
  const path = await store.localPath(digest)
  expect(opened).toHaveBeenCalledTimes(1)
  await utimes(path, 1, 1)
  await store.localPath(digest)
  expect(opened).toHaveBeenCalledTimes(2)
})

it('names the directory of a full disk and leaves nothing behind', async () => {
  const store = await openStore()
  const file = await open(join(root, 'probe'), 'w')
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  const prototype = Object.getPrototypeOf(file)
  vi.spyOn(prototype, 'writev').mockResolvedValueOnce({ bytesWritten: 4 })
  const writeFile = vi.spyOn(prototype, 'writeFile').mockRejectedValueOnce(full)
  await file.close()
  const twoChunks = async function* () {
    yield Buffer.from('one')
    yield Buffer.from('two')
  }
  await expect(store.put(twoChunks())).rejects.toMatchObject({
    code: 'disk_full',
    status: 507,
    message: expect.stringContaining(root),
  })
  expect(writeFile.mock.calls).toEqual([[Buffer.from('wo')]])
  expect(await readdir(join(root, 'tmp'))).toEqual([])
  expect(await Array.fromAsync(store.list())).toEqual([])
})

it('sweeps what a crash left behind, and not what is being written', async () => {
  const store = await openStore()
  await writeFile(join(root, 'tmp', '1-0'), 'orphan')
  await utimes(join(root, 'tmp', '1-0'), 1000, 1000)
  await writeFile(join(root, 'tmp', '2-0'), 'under way')
  expect(await store.sweepTemp(2_000_000)).toBe(1)
  expect(await readdir(join(root, 'tmp'))).toEqual(['2-0'])
})

it('puts although an orphan has the name of its temporary file', async () => {
  const store = await openStore()
  const taken = Array.from({ length: 100 }, (_, i) => join(root, 'tmp', `${process.pid}-${i}`))
  await Promise.all(taken.map((path) => writeFile(path, 'orphan')))
  expect(await store.put('content')).toMatchObject({ size: 7 })
  expect(await readFile(String(taken[0]), 'utf8')).toBe('orphan')
})

it('refuses URLs that no adapter knows', async () => {
  await expect(openObjectStore('gopher://host/bucket', { cacheDirectory })).rejects.toMatchObject({
    code: 'object_store_unsupported',
  })
})
