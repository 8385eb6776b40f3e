import { spawn } from 'node:child_process'
import { once } from 'node:events'
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

/** A writer in another process: writes the counter under `a` and `b` for each message, and answers when it is durable. */
const writerProgram = `
  import { openOnlineStore } from ${JSON.stringify(new URL('./open-online-store.ts', import.meta.url).href)}
  const store = await openOnlineStore(process.argv[1])
  process.on('message', async (text) => {
    const value = Buffer.from(text)
    await store.writeBatch({ puts: ['a', 'b'].map((key) => ({ key: { namespace: 'view', key }, value })) })
    process.send(text)
  })
  process.on('disconnect', () => process.exit())
  process.send('ready')`

it('shows a reader at once what another process wrote, and keeps it when that process is killed', async () => {
  const reader = await openOnlineStore(url, { readOnly: true })
  const writer = spawn(process.execPath, ['--input-type=module', '--eval', writerProgram, url], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  try {
    await once(writer, 'message')
    for (const text of ['1', '2', '3']) {
      const acknowledged = once(writer, 'message')
      // Reading now opens a snapshot that must not hide the write.
      textOf(reader, 'a')
      writer.send(text)
      await acknowledged
      expect([textOf(reader, 'a'), textOf(reader, 'b')]).toEqual([text, text])
    }
  } finally {
    const exited = once(writer, 'exit')
    writer.kill('SIGKILL')
    await exited
  }
  expect(textOf(reader, 'a')).toBe('3')
  await reader.close()
  const next = await openOnlineStore(url)
  await next.writeBatch({ deletes: [key('a')] })
  expect([textOf(next, 'a'), textOf(next, 'b')]).toEqual([undefined, '3'])
  await next.close()
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
