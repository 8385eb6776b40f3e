import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import { ServingPlan, SignedServingPlan } from '#modules/releases/contract.ts'
import { inferenceFailure } from './errors.ts'

/** Public keys by their id: the hex sha256 of the SPKI DER. */
export type TrustedKeys = ReadonlyMap<string, KeyObject>

/** Reads one or several Ed25519 public keys in PEM; several let the signer change its key. */
export function readTrustedKeys(pem: string): TrustedKeys {
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? []
  const keys = new Map<string, KeyObject>()
  for (const block of blocks) {
    const key = createPublicKey(block)
    if (key.asymmetricKeyType !== 'ed25519') throw refuse('The trusted plan key is not an Ed25519 key')
    keys.set(keyId(key), key)
  }
  if (keys.size === 0) throw refuse('There is no trusted plan key: expected an Ed25519 public key in PEM')
  return keys
}

export function keyId(publicKey: KeyObject): string {
  return hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'hex')
}

/**
 * The plan inside a signed document.
 *
 * @throws `plan_refused` when the signature is none of a trusted key, the payload is no plan, or it is for another
 * environment or workspace
 */
export function verifyPlan(
  signed: unknown,
  keys: TrustedKeys,
  { environment, workspace }: { environment: string; workspace?: string | undefined },
): ServingPlan {
  const document = SignedServingPlan.safeParse(signed)
  if (!document.success) throw refuse('The serving plan is not a signed document')
  const { payload } = document.data
  if (!verifySigned(document.data, keys)) {
    throw refuse(`The serving plan is not signed by a trusted key (its key is ${document.data.keyId})`)
  }
  const plan = ServingPlan.safeParse(parseJson(payload))
  if (!plan.success) throw refuse(`The serving plan is malformed: ${plan.error.issues[0]?.path.join('.')}`)
  if (plan.data.environment !== environment) {
    throw refuse(`The serving plan is for environment ${plan.data.environment}, this node serves ${environment}`)
  }
  if (workspace !== undefined && !isOf(plan.data, workspace)) {
    throw refuse(`The serving plan is for another workspace, this node serves ${workspace}`)
  }
  return plan.data
}

/** One control plane signs for all of its workspaces. */
function isOf(plan: ServingPlan, workspace: string): boolean {
  const parts = [...plan.endpoints, ...plan.versions, ...plan.keys]
  return [plan, ...parts].every((part) => part.workspace === undefined || part.workspace === workspace)
}

export function verifySigned({ payload, signature, keyId: id }: SignedServingPlan, keys: TrustedKeys): boolean {
  const key = keys.get(id)
  return key !== undefined && verify(null, Buffer.from(payload), key, Buffer.from(signature, 'base64'))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refuse(message: string) {
  return inferenceFailure('plan_refused', message)
}
