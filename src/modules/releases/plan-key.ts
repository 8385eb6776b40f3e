import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { SignedServingPlan } from './contract.ts'

export interface PlanKey {
  sign(payload: string): SignedServingPlan
  /** What nodes trust, in PEM. */
  publicKey: string
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
  }
  loaded.set(dataDir, key)
  return key
}

function loadOrCreate(dataDir: string): KeyObject {
  const privateFile = join(dataDir, 'keys', 'serving-plan.key')
  if (existsSync(privateFile)) {
    const key = createPrivateKey(readFileSync(privateFile))
    if (!existsSync(planPublicKeyFile(dataDir))) publish(dataDir, key)
    return key
  }
  mkdirSync(dirname(privateFile), { recursive: true, mode: 0o700 })
  const { privateKey } = generateKeyPairSync('ed25519')
  writeFileSync(`${privateFile}.new`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  renameSync(`${privateFile}.new`, privateFile)
  publish(dataDir, privateKey)
  return privateKey
}

function publish(dataDir: string, privateKey: KeyObject): void {
  const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' })
  writeFileSync(planPublicKeyFile(dataDir), pem, { mode: 0o644 })
}
