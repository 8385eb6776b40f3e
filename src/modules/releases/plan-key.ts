import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { SignedServingPlan } from './contract.ts'

export interface PlanKey {
  sign(payload: string): SignedServingPlan
  /** What nodes trust, in PEM. */
  publicKey: string
  /** Hex sha256 of the public key's SPKI DER. */
  keyId: string
}

const loaded = new Map<string, PlanKey>()

/** Where the public half is, for nodes on the same machine. */
export const planPublicKeyFile = (dataDir: string): string => join(dataDir, 'keys', 'serving-plan.pub')

/** The key of this control plane; made at the first use. */
export function planKey(dataDir: string): PlanKey {
  const known = loaded.get(dataDir)
  if (known !== undefined) return known
  const privateKey = loadOrCreate(dataDir)
  const publicKey = createPublicKey(privateKey)
  const keyId = hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'hex')
  const key: PlanKey = {
    sign: (payload) => ({
      payload,
      signature: sign(null, Buffer.from(payload), privateKey).toString('base64'),
      keyId,
    }),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    keyId,
  }
  loaded.set(dataDir, key)
  return key
}

function loadOrCreate(dataDir: string): KeyObject {
  const privateFile = join(dataDir, 'keys', 'serving-plan.key')
  if (!existsSync(privateFile)) storeOnce(privateFile, generateKeyPairSync('ed25519').privateKey)
  const key = createPrivateKey(readFileSync(privateFile))
  if (!existsSync(planPublicKeyFile(dataDir))) publish(dataDir, key)
  return key
}

/** Several control planes may start at once: the first link wins, whole, and everybody reads what it holds. */
function storeOnce(file: string, key: KeyObject): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const mine = `${file}.${process.pid}.new`
  writeFileSync(mine, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flush: true })
  try {
    linkSync(mine, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(mine)
  }
}

function publish(dataDir: string, privateKey: KeyObject): void {
  const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' })
  writeFileSync(planPublicKeyFile(dataDir), pem, { mode: 0o644 })
}
