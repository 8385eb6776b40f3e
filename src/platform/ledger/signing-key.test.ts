import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createSigningKey,
  formatVerifierKey,
  keyFiles,
  loadSigningKey,
  loadVerifierKey,
  parseVerifierKey,
} from './signing-key.ts'

const vkey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'signing-key-'))
})
afterEach(() => rm(dataDir, { recursive: true }))

describe('verifier key', () => {
  test('reads and writes the form of the reference implementation', () => {
    expect(formatVerifierKey(parseVerifierKey(vkey))).toBe(vkey)
  })

  test('is refused when cut short or altered anywhere', () => {
    for (let at = 0; at < vkey.length; at += 1) {
      const altered = vkey.slice(0, at) + String.fromCharCode(vkey.charCodeAt(at) + 1) + vkey.slice(at + 1)
      expect(() => parseVerifierKey(altered), altered).toThrow()
      expect(() => parseVerifierKey(vkey.slice(0, at))).toThrow(expect.objectContaining({ code: 'ledger_key_invalid' }))
    }
  })
})

describe('signing key', () => {
  test('is made once, kept private, and published beside', async () => {
    const { privateFile, publicFile } = keyFiles(dataDir)
    const made = await loadSigningKey(dataDir)
    const read = await loadSigningKey(dataDir)
    expect(formatVerifierKey(read.verifier)).toBe(formatVerifierKey(made.verifier))
    expect((await stat(privateFile)).mode & 0o777).toBe(0o600)
    expect(await readFile(publicFile, 'utf8')).toBe(`${formatVerifierKey(made.verifier)}\n`)
    expect((await loadVerifierKey(publicFile)).id).toEqual(made.verifier.id)
  })

  test('is one key although several processes start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadSigningKey(dataDir)))
    expect(new Set(keys.map(({ verifier }) => formatVerifierKey(verifier))).size).toBe(1)
  })

  test('gives each ledger an origin of its own', () => {
    expect(createSigningKey().verifier.name).not.toBe(createSigningKey().verifier.name)
  })

  test('is not silently replaced when it is lost', async () => {
    await loadSigningKey(dataDir)
    await rm(keyFiles(dataDir).privateFile)
    await expect(loadSigningKey(dataDir)).rejects.toMatchObject({ code: 'ledger_key_missing' })
  })

  test('is refused when it does not belong to the public half', async () => {
    const other = await mkdtemp(join(tmpdir(), 'signing-key-'))
    await loadSigningKey(other)
    await loadSigningKey(dataDir)
    await copyFile(keyFiles(other).privateFile, keyFiles(dataDir).privateFile)
    await rm(other, { recursive: true })
    await expect(loadSigningKey(dataDir)).rejects.toThrow(/not the public half/)
  })

  test('is refused when the file is no key', async () => {
    await loadSigningKey(dataDir)
    await writeFile(keyFiles(dataDir).privateFile, 'nonsense')
    await expect(loadSigningKey(dataDir)).rejects.toMatchObject({ code: 'ledger_key_invalid' })
  })
})
