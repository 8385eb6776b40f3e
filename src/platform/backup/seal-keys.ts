import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { backupFailure } from './errors.ts'

/** Directories of the data directory that hold what nobody could make again, and nobody else may see. */
export const secretDirectories = ['keys', 'tls']

const largestKey = 1 << 20

/** A private key by its path in the data directory. */
export type KeyFiles = Record<string, { mode: number; content: string }>

const KeyFiles = z.record(z.string(), z.object({ mode: z.int(), content: z.base64() }))

const Sealed = z.object({
  cipher: z.literal('aes-256-gcm'),
  kdf: z.literal('scrypt'),
  cost: z.int().max(1 << 20),
  blockSize: z.int().max(32),
  salt: z.base64(),
  nonce: z.base64(),
  tag: z.base64(),
  ciphertext: z.base64(),
})

const cost = 1 << 17
const blockSize = 8

export async function readKeys(dataDir: string): Promise<KeyFiles> {
  const keys: KeyFiles = {}
  for (const directory of secretDirectories) {
    const found = await readdir(join(dataDir, directory), { recursive: true, withFileTypes: true }).catch(() => [])
    for (const entry of found.filter((one) => one.isFile())) {
      const path = join(entry.parentPath, entry.name)
      const { mode, size } = await lstat(path)
      if (size > largestKey) continue
      keys[relative(dataDir, path)] = { mode: mode & 0o777, content: (await readFile(path)).toString('base64') }
    }
  }
  return keys
}

/** Into a data directory; every path stays below the directories above. */
export async function writeKeys(dataDir: string, keys: KeyFiles): Promise<void> {
  for (const [name, { mode, content }] of Object.entries(keys)) {
    const path = join(dataDir, name)
    if (!secretDirectories.some((directory) => path.startsWith(join(dataDir, directory, '/')))) {
      throw backupFailure('backup_damaged', `The backup holds a key that belongs nowhere: ${name}`)
    }
    await mkdir(dirname(path), { recursive: true, mode: name.startsWith('tls') ? 0o755 : 0o700 })
    await writeFile(path, Buffer.from(content, 'base64'), { mode, flush: true })
  }
}

/** The text of the file of keys; without a passphrase anybody can read it. */
export async function sealKeys(keys: KeyFiles, passphrase: string | undefined): Promise<string> {
  const text = JSON.stringify(keys)
  if (passphrase === undefined) return `${text}\n`
  const [salt, nonce] = [randomBytes(16), randomBytes(12)]
  const cipher = createCipheriv('aes-256-gcm', await stretch(passphrase, salt, { cost, blockSize }), nonce)
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  const base64 = { salt, nonce, tag: cipher.getAuthTag(), ciphertext }
  const encoded = Object.fromEntries(Object.entries(base64).map(([name, bytes]) => [name, bytes.toString('base64')]))
  return `${JSON.stringify({ cipher: 'aes-256-gcm', kdf: 'scrypt', cost, blockSize, ...encoded })}\n`
}

/** @throws `backup_passphrase_missing`, `backup_passphrase_wrong` */
export async function openKeys(text: string, encrypted: boolean, passphrase: string | undefined): Promise<KeyFiles> {
  if (!encrypted) return KeyFiles.parse(JSON.parse(text))
  if (passphrase === undefined) {
    throw backupFailure('backup_passphrase_missing', 'The keys in this backup are encrypted', {
      hint: 'Give the passphrase that it was made with, by --passphrase-file FILE or PAVE_BACKUP_PASSPHRASE.',
    })
  }
  const sealed = Sealed.parse(JSON.parse(text))
  const bytes = (encoded: string) => Buffer.from(encoded, 'base64')
  const key = await stretch(passphrase, bytes(sealed.salt), sealed)
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes(sealed.nonce), { authTagLength: 16 })
    decipher.setAuthTag(bytes(sealed.tag))
    const plain = Buffer.concat([decipher.update(bytes(sealed.ciphertext)), decipher.final()])
    return KeyFiles.parse(JSON.parse(plain.toString('utf8')))
  } catch (cause) {
    throw backupFailure('backup_passphrase_wrong', 'The passphrase does not open the keys', { cause })
  }
}

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt)

function stretch(passphrase: string, salt: Buffer, settings: { cost: number; blockSize: number }): Promise<Buffer> {
  const { cost: N, blockSize: r } = settings
  return derive(passphrase, salt, 32, { N, r, p: 1, maxmem: 256 * N * r })
}
