import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { openCheckpoint } from './checkpoint.ts'
import { ledgerFailure } from './ledger-errors.ts'
import { leafHash, verifyInclusion } from './merkle.ts'
import type { VerifierKey } from './signing-key.ts'

/** What `prove-entry` answers; other fields, such as the key that it names itself, are not what one verifies with. */
const Proof = z.object({
  leaf: z.int().nonnegative(),
  size: z.int().positive(),
  body: z.string(),
  path: z.array(z.string()),
  checkpoint: z.string(),
})

export interface VerifiedProof {
  origin: string
  leaf: number
  size: number
  /** The entry, as it was hashed. */
  body: string
}

/**
 * Verifies a saved proof with nothing but the public key.
 *
 * @throws `proof_invalid`, `checkpoint_invalid`
 */
export async function verifyProofFile(path: string, publicKey: VerifierKey): Promise<VerifiedProof> {
  const { leaf, size, body, path: hashes, checkpoint } = readProof(await readFile(path, 'utf8'), path)
  const signed = openCheckpoint(checkpoint, publicKey)
  if (signed.size !== size) {
    throw ledgerFailure('proof_invalid', `The proof is for ${size} leaves, its checkpoint signs ${signed.size}`)
  }
  const siblings = hashes.map((hash) => Buffer.from(hash, 'base64'))
  if (!verifyInclusion(leafHash(body), leaf, size, siblings, signed.root)) {
    throw ledgerFailure('proof_invalid', `The entry is not leaf ${leaf} of the ledger that the checkpoint signs`)
  }
  return { origin: signed.origin, leaf, size, body }
}

function readProof(text: string, path: string): z.output<typeof Proof> {
  try {
    return Proof.parse(JSON.parse(text))
  } catch (cause) {
    throw ledgerFailure('proof_invalid', `${path} is not a proof as the console and prove-entry write it`, { cause })
  }
}
