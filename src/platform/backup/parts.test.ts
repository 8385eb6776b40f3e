import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dumpLmdb, loadLmdb } from '../storage/online/lmdb-dump.ts'
import { openOnlineStore } from '../storage/online/open-online-store.ts'
import { decodePairs, encodePairs } from './online-part.ts'
import { readPart, readWhole, writePart } from './part-files.ts'
import { openKeys, readKeys, sealKeys, writeKeys } from './seal-keys.ts'

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pave-parts-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

async function* bytesOf(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text)
}

describe('a file of a backup', () => {
  test.each(['plain.txt', 'packed.txt.gz'])('%s: each byte counts', async (file) => {
    const { lines, ...part } = await writePart(directory, file, bytesOf('one\ntw', 'o\n', 'three'))
    expect(lines).toBe(2)
    expect(await readWhole(directory, part)).toBe('one\ntwo\nthree')
    const path = join(directory, file)
    const honest = await readFile(path)
    for (let at = 0; at < honest.length; at++) {
      const changed = Buffer.from(honest)
      changed.writeUInt8(changed.readUInt8(at) ^ 0x41, at)
      await writeFile(path, changed)
      await expect(readWhole(directory, part), `byte ${at}`).rejects.toMatchObject({ code: 'backup_damaged' })
      await writeFile(path, honest.subarray(0, at))
      await expect(readWhole(directory, part), `cut at ${at}`).rejects.toMatchObject({ code: 'backup_damaged' })
    }
    await rm(path)
    await expect(readWhole(directory, part)).rejects.toMatchObject({ code: 'backup_damaged' })
  })

  test('gives its last bytes only when the whole is known to be good', async () => {
    const part = await writePart(directory, 'large.txt', bytesOf('x'.repeat(300_000)))
    await writeFile(join(directory, 'large.txt'), `${'x'.repeat(299_999)}y`)
    let seen = 0
    const reading = async () => {
      for await (const chunk of readPart(directory, part)) seen += chunk.length
    }
    await expect(reading()).rejects.toMatchObject({ code: 'backup_damaged' })
    expect(seen).toBeLessThan(300_000)
  })
})

describe('keys', () => {
  const keys = { 'keys/ledger.key': { mode: 0o600, content: Buffer.from('the secret').toString('base64') } }

  test('open with their passphrase only, and unchanged', async () => {
    const sealed = await sealKeys(keys, 'correct horse')
    expect(sealed).not.toContain(keys['keys/ledger.key'].content)
    expect(await openKeys(sealed, true, 'correct horse')).toEqual(keys)
    const wrong = { code: 'backup_passphrase_wrong' }
    await expect(openKeys(sealed, true, 'wrong')).rejects.toMatchObject(wrong)
    const changed = sealed.replace(
      /"ciphertext":"./,
      (found) => `${found.slice(0, -1)}${found.endsWith('A') ? 'B' : 'A'}`,
    )
    await expect(openKeys(changed, true, 'correct horse')).rejects.toMatchObject(wrong)
    await expect(openKeys(sealed, true, undefined)).rejects.toMatchObject({ code: 'backup_passphrase_missing' })
  })

  test('go back to where they were, with their modes, and nowhere else', async () => {
    await writeKeys(directory, keys)
    expect(await readKeys(directory)).toEqual(keys)
    for (const name of ['../keys/x', 'objects/x', 'keys/../../x']) {
      const stray = { [name]: { mode: 0o600, content: '' } }
      await expect(writeKeys(directory, stray)).rejects.toMatchObject({ code: 'backup_damaged' })
    }
  })
})

test('online features come back, whatever the bytes, while somebody writes', async () => {
  const url = `lmdb://${join(directory, 'online')}`
  const store = await openOnlineStore(url)
  const put = (from: number, to: number) =>
    store.writeBatch({
      puts: Array.from({ length: to - from }, (_, index) => ({
        key: { namespace: 'view', key: `${from + index}${'\0é'.repeat(index % 3)}` },
        value: Buffer.from([index % 256, 0, 255]),
      })),
    })
  await put(0, 12_000)
  let counted = 0
  const writing = (async () => {
    for (let at = 12_000; at < 13_000; at += 100) await put(at, at + 100)
  })()
  const { lines: _, ...part } = await writePart(
    directory,
    'online.pairs.gz',
    encodePairs(dumpLmdb(url), () => counted++),
  )
  await writing
  await store.close()
  expect(counted).toBeGreaterThanOrEqual(12_000)

  const copy = `lmdb://${join(directory, 'copy')}`
  expect(await loadLmdb(copy, decodePairs(readPart(directory, part)))).toBe(counted)
  const restored = await openOnlineStore(copy)
  const [first, last] = await restored.getMany([
    { namespace: 'view', key: '0' },
    { namespace: 'view', key: `11999${'\0é'.repeat(11_999 % 3)}` },
  ])
  await restored.close()
  expect([first, last].map((value) => [...(value ?? [])])).toEqual([
    [0, 0, 255],
    [11_999 % 256, 0, 255],
  ])
})
