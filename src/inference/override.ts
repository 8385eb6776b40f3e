import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { z } from 'zod'
import { SignedServingPlan } from '#modules/releases/contract.ts'
import { unlessMissing, writeDurably } from './durable-file.ts'
import { inferenceFailure } from './errors.ts'
import { keyId, verifySigned } from './verify-plan.ts'

/** The kill switch that needs no control plane: all traffic of an endpoint to a version that the node has loaded. */
export const Override = z.object({
  workspace: z.uuid(),
  endpoint: z.string(),
  /** `model@version`. */
  version: z.string(),
  reason: z.string().min(1).max(1000),
  actor: z.string().min(1).max(200),
  at: z.iso.datetime(),
})

export type Override = z.infer<typeof Override>

const lookEveryMs = 500

const Overrides = z.object({ environment: z.string(), overrides: z.array(Override) })

/** Reads the key that overrides on this node are signed with, or makes it on first use. */
export async function loadNodeKey(directory: string): Promise<KeyObject> {
  const path = join(directory, 'node.key')
  const stored = await unlessMissing(readFile(path, 'utf8'))
  if (stored !== undefined) return createPrivateKey(stored)
  const { privateKey } = generateKeyPairSync('ed25519')
  await writeDurably(path, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  return privateKey
}

/** Puts the overrides in place of those before; none removes them. The node takes them within a second. */
export async function writeOverrides(
  directory: string,
  environment: string,
  overrides: readonly Override[],
): Promise<void> {
  const path = join(directory, 'override.json')
  if (overrides.length === 0) return rm(path, { force: true })
  const key = await loadNodeKey(directory)
  const payload = JSON.stringify({ environment, overrides })
  const signature = sign(null, Buffer.from(payload), key).toString('base64')
  await writeDurably(path, JSON.stringify({ payload, signature, keyId: keyId(createPublicKey(key)) }))
}

/** @throws `override_refused` when the file is not what `writeOverrides` made with the node's key */
async function readOverrides(directory: string, environment: string, key: KeyObject): Promise<Override[]> {
  const text = await unlessMissing(readFile(join(directory, 'override.json'), 'utf8'))
  if (text === undefined) return []
  const publicKey = createPublicKey(key)
  const document = SignedServingPlan.safeParse(parseJson(text))
  if (!document.success || !verifySigned(document.data, new Map([[keyId(publicKey), publicKey]]))) {
    throw inferenceFailure('override_refused', "override.json is not signed with the node's key")
  }
  const payload = Overrides.safeParse(parseJson(document.data.payload))
  if (!payload.success || payload.data.environment !== environment) {
    throw inferenceFailure('override_refused', `override.json is malformed or not for environment ${environment}`)
  }
  return payload.data.overrides
}

/** Follows the file; what it holds at first is passed on before this returns. */
export async function watchOverrides(options: {
  directory: string
  environment: string
  key: KeyObject
  log: Logger
  onChange: (overrides: readonly Override[]) => void
}): Promise<{ close(): void }> {
  const { directory, environment, key, log, onChange } = options
  let known = '[]'
  const look = async () => {
    try {
      const overrides = await readOverrides(directory, environment, key)
      if (JSON.stringify(overrides) === known) return
      known = JSON.stringify(overrides)
      log.warn({ overrides }, 'local overrides changed')
      onChange(overrides)
    } catch (error) {
      log.error({ err: error }, 'a local override is not taken')
    }
  }
  await look()
  const timer = setInterval(() => void look(), lookEveryMs).unref()
  return { close: () => clearInterval(timer) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
