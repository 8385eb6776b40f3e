import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { loadSigningKey } from '#platform/ledger/signing-key.ts'
import { webhooksFailure } from './tables.ts'

/** Of AES-256-GCM. */
const nonceBytes = 12
const tagBytes = 16

export interface SecretPlace {
  dataDir: string
  /** A sealed secret opens for this webhook of this workspace only. */
  workspace: string
  webhook: string
}

/**
 * Whoever reads the database or a dump of it learns no secret: the key is derived from the one that signs the ledger, which
 * every control plane of a database has and the database has not.
 */
export async function sealSecret(secret: string, place: SecretPlace, nonce: Buffer): Promise<string> {
  const cipher = createCipheriv('aes-256-gcm', await sealingKey(place.dataDir), nonce)
  cipher.setAAD(boundTo(place))
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return `v1.${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')}`
}

/** @throws `webhook_secret_unreadable` */
export async function openSecret(sealed: string, place: SecretPlace): Promise<string> {
  const bytes = Buffer.from(sealed.replace(/^v1\./, ''), 'base64url')
  const [nonce, rest] = [bytes.subarray(0, nonceBytes), bytes.subarray(nonceBytes)]
  try {
    const decipher = createDecipheriv('aes-256-gcm', await sealingKey(place.dataDir), nonce, {
      authTagLength: tagBytes,
    })
    decipher.setAAD(boundTo(place))
    decipher.setAuthTag(rest.subarray(0, tagBytes))
    return Buffer.concat([decipher.update(rest.subarray(tagBytes)), decipher.final()]).toString('utf8')
  } catch (cause) {
    throw webhooksFailure('webhook_secret_unreadable', `The secret of webhook ${place.webhook} cannot be opened`, {
      cause,
    })
  }
}

/** As many random bytes as a nonce has. */
export const newNonce = (ids: { secret(length?: number): string }) => Buffer.from(ids.secret(nonceBytes), 'base64url')

async function sealingKey(dataDir: string): Promise<Buffer> {
  const { privateKey } = await loadSigningKey(dataDir)
  const material = privateKey.export({ type: 'pkcs8', format: 'der' })
  return Buffer.from(hkdfSync('sha256', material, 'pave', 'webhook secrets v1', 32))
}

const boundTo = ({ workspace, webhook }: SecretPlace) => Buffer.from(`${workspace}/${webhook}`)
