import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { onlineStoreConformance } from './conformance.ts'
import type { OnlineKey, OnlineStore } from './online-store.ts'
import { openOnlineStore } from './open-online-store.ts'

let root: string
let url: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pave-online-'))
  url = pathToFileURL(join(root, 'features')).href.replace('file:', 'lmdb:')
})

afterEach(() => rm(root, { recursive: true }))

onlineStoreConformance(() => openOnlineStore(url))

const key = (key: string): OnlineKey => ({ namespace: 'view', key })
const textOf = (store: OnlineStore, name: string) => {
  const found = store.getMany([key(name)])
  if (found instanceof Promise) throw new Error('LMDB answers at once')
  return found[0] && Buffer.from(found[0]).toString()
}

/** Another process, which writes and is killed as soon as the write is acknowledged. This one's event loop stands still. */
function writeAndDie(text: string): void {
  const program = `
    import { openOnlineStore } from ${JSON.stringify(new URL('./open-online-store.ts', import.meta.url).href)}
    const store = await openOnlineStore(process.argv[1])
    const value = Buffer.from(process.argv[2])
    await store.writeBatch({ puts: ['a', 'b'].map((key) => ({ key: { namespace: 'view', key }, value })) })
    process.kill(process.pid, 'SIGKILL')`
  const { signal } = spawnSync(process.execPath, ['--input-type=module', '--eval', program, url, text])
  expect(signal).toBe('SIGKILL')
}

it('shows a reader at once what another process wrote, though that process was killed', async () => {
  const reader = await openOnlineStore(url, { readOnly: true })
  for (const [before, after] of [
    [undefined, '1'],
    ['1', '2'],
  ] as const) {
    // Opens a snapshot that must not hide the write.
    expect(textOf(reader, 'a')).toBe(before)
    writeAndDie(after)
    expect([textOf(reader, 'a'), textOf(reader, 'b')]).toEqual([after, after])
  }
  await reader.close()
  const writer = await openOnlineStore(url)
  await writer.writeBatch({ deletes: [key('a')] })
  expect([textOf(writer, 'a'), textOf(writer, 'b')]).toEqual([undefined, '2'])
  await writer.close()
})

it('sees its own process write within one turn of the event loop', async () => {
  const writer = await openOnlineStore(url)
  const written = writer.writeBatch({ puts: [{ key: key('a'), value: Buffer.from('1') }] })
  expect(textOf(writer, 'a')).toBeUndefined()
  await written
  expect(textOf(writer, 'a')).toBe('1')
  await writer.close()
})

it('refuses to write when opened for reading', async () => {
  const reader = await openOnlineStore(url, { readOnly: true })
  await expect(reader.writeBatch({ deletes: [key('a')] })).rejects.toMatchObject({ code: 'online_store_read_only' })
  await reader.close()
})

it('keeps what was written when it is opened again', async () => {
  const first = await openOnlineStore(url)
  await first.writeBatch({ puts: [{ key: key('a'), value: Buffer.alloc(100_000, 1) }] })
  await first.close()
  const second = await openOnlineStore(url, { readOnly: true })
  expect(textOf(second, 'a')).toHaveLength(100_000)
  await second.close()
})

it('refuses URLs that no adapter knows', async () => {
  await expect(openOnlineStore('gopher://host')).rejects.toMatchObject({ code: 'online_store_unsupported' })
})
