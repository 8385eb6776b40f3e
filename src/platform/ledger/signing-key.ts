import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto'
import { link, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ledgerFailure } from './ledger-errors.ts'

/** An Ed25519 public key under a name, as C2SP signed notes know it. */
export interface VerifierKey {
  name: string
  /** The first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key). */
  id: Buffer
  publicKey: KeyObject
}

export interface SigningKey {
  verifier: VerifierKey
  privateKey: KeyObject
}

const ed25519 = Buffer.of(0x01)
const encodedKey = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/

/** A new key; without a name it is called after its own public key, so that no two ledgers share an origin. */
export function createSigningKey(name?: string): SigningKey {
  return signingKey(generateKeyPairSync('ed25519').privateKey, name)
}

/**
 * Reads `<dataDir>/keys/ledger.key` (PEM, mode 0600), or makes it on first use, and sees to it that `ledger.pub`
 * beside it holds the verifier key.
 *
 * @throws `ledger_key_missing` when only the public half is there, `ledger_key_invalid` when the file is no such key.
 */
export async function loadSigningKey(dataDir: string): Promise<SigningKey> {
  const { privateFile, publicFile } = keyFiles(dataDir)
  const published = await readIfThere(publicFile)
  const stored = await readIfThere(privateFile)
  if (stored === undefined && published !== undefined) {
    throw ledgerFailure('ledger_key_missing', `${publicFile} exists but ${privateFile} does not`)
  }
  const pem = stored ?? (await storeOnce(privateFile, toPem(createSigningKey()), 0o600))
  const key = signingKey(readPem(pem, privateFile))
  const line = `${formatVerifierKey(key.verifier)}\n`
  if ((published ?? (await storeOnce(publicFile, line, 0o644))) !== line) {
    throw ledgerFailure('ledger_key_invalid', `${publicFile} is not the public half of ${privateFile}`)
  }
  return key
}

/** Reads a file such as `<dataDir>/keys/ledger.pub`. */
export async function loadVerifierKey(path: string): Promise<VerifierKey> {
  return parseVerifierKey((await readFile(path, 'utf8')).trimEnd())
}

export function keyFiles(dataDir: string): { privateFile: string; publicFile: string } {
  return { privateFile: join(dataDir, 'keys', 'ledger.key'), publicFile: join(dataDir, 'keys', 'ledger.pub') }
}

/** `name+hex(id)+base64(0x01 ‖ public key)`: the encoding of a verifier key in the C2SP signed-note format. */
export function formatVerifierKey({ name, id, publicKey }: VerifierKey): string {
  return `${name}+${id.toString('hex')}+${Buffer.concat([ed25519, rawBytes(publicKey)]).toString('base64')}`
}

/** @throws `ledger_key_invalid` */
export function parseVerifierKey(line: string): VerifierKey {
  const [, name, id, encoded] = encodedKey.exec(line) ?? []
  const bytes = Buffer.from(encoded ?? '', 'base64')
  if (name === undefined || bytes.length !== 33 || bytes[0] !== ed25519[0] || bytes.toString('base64') !== encoded) {
    throw ledgerFailure('ledger_key_invalid', 'The text is not an Ed25519 verifier key of the form name+hash+base64')
  }
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.subarray(1).toString('base64url') }
  const key = verifierKey(name, createPublicKey({ key: jwk, format: 'jwk' }))
  if (key.id.toString('hex') !== id) {
    throw ledgerFailure('ledger_key_invalid', `The hash ${id} in the verifier key does not belong to its name and key`)
  }
  return key
}

export function signingKey(privateKey: KeyObject, name?: string): SigningKey {
  const publicKey = createPublicKey(privateKey)
  const fingerprint = hash('sha256', rawBytes(publicKey), 'hex').slice(0, 16)
  return { verifier: verifierKey(name ?? `pave.ledger/${fingerprint}`, publicKey), privateKey }
}

function verifierKey(name: string, publicKey: KeyObject): VerifierKey {
  const hashed = Buffer.concat([Buffer.from(`${name}\n`), ed25519, rawBytes(publicKey)])
  return { name, id: hash('sha256', hashed, 'buffer').subarray(0, 4), publicKey }
}

function rawBytes(publicKey: KeyObject): Buffer {
  return Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
}

function toPem({ privateKey }: SigningKey): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function readPem(pem: string, path: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (cause) {
    throw ledgerFailure('ledger_key_invalid', `${path} is not a private key in PEM`, { cause })
  }
  throw ledgerFailure('ledger_key_invalid', `${path} holds a key that is not Ed25519`)
}

/** Several processes may start at once: the first link wins, whole, and everybody reads what it holds. */
async function storeOnce(path: string, text: string, mode: number): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const scratch = await mkdtemp(join(dirname(path), '.new-'))
  try {
    const mine = join(scratch, basename(path))
    await writeFile(mine, text, { mode, flush: true })
    await link(mine, path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  return readFile(path, 'utf8')
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
