import { sign, verify } from 'node:crypto'
import { ledgerFailure } from './ledger-errors.ts'
import type { SigningKey, VerifierKey } from './signing-key.ts'

/** What a signed checkpoint states: the ledger called `origin` had `size` leaves and this root. */
export interface Checkpoint {
  origin: string
  /** 0 until a backup is restored; each restore begins another, which may grow otherwise than the one before it. */
  epoch: number
  size: number
  root: Buffer
}

const statement = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/
const epochInOrigin = /\/epoch-([1-9]\d{0,15})$/
const signatureLine = /^— ([^\s+]+) ([A-Za-z0-9+/]+=*)$/

/** A checkpoint in the C2SP tlog-checkpoint format: a note of origin, size and base64 root, signed by one key. */
export function signCheckpoint({ epoch, size, root }: SignedState, key: SigningKey): string {
  return signNote(`${originOf(key.verifier, epoch)}\n${size}\n${root.toString('base64')}\n`, key)
}

export type SignedState = Omit<Checkpoint, 'origin'>

/**
 * To the witnesses of checkpoints an epoch is a ledger of its own: it need not continue what was signed after the backup
 * that it began with.
 */
function originOf(key: VerifierKey, epoch: number): string {
  return epoch === 0 ? key.name : `${key.name}/epoch-${epoch}`
}

/** @throws `checkpoint_invalid` unless the key signed it and the origin is an epoch of the key's ledger. */
export function openCheckpoint(note: string, key: VerifierKey): Checkpoint {
  const [, origin, size, root] = statement.exec(openNote(note, key)) ?? []
  if (origin === undefined || size === undefined || root === undefined) {
    throw ledgerFailure('checkpoint_invalid', 'The signed text is not a checkpoint of origin, size and root')
  }
  const epoch = Number(epochInOrigin.exec(origin)?.[1] ?? 0)
  if (origin !== originOf(key, epoch)) {
    throw ledgerFailure('checkpoint_invalid', `The checkpoint is of the ledger ${origin}, the key is of ${key.name}`)
  }
  return { origin, epoch, size: Number(size), root: Buffer.from(root, 'base64') }
}

/** Signs a text that ends in a newline, in the C2SP signed-note format. */
export function signNote(text: string, { verifier, privateKey }: SigningKey): string {
  const signature = sign(null, Buffer.from(text), privateKey)
  return `${text}\n— ${verifier.name} ${Buffer.concat([verifier.id, signature]).toString('base64')}\n`
}

/**
 * The text of a signed note, once the key's signature was found good. Signatures of other keys (witnesses) are ignored.
 *
 * @throws `checkpoint_invalid`
 */
export function openNote(note: string, key: VerifierKey): string {
  const end = note.lastIndexOf('\n\n') + 1
  if (end === 0 || !note.endsWith('\n')) throw ledgerFailure('checkpoint_invalid', 'The text is not a signed note')
  const text = note.slice(0, end)
  const signatures = note
    .slice(end + 1, -1)
    .split('\n')
    .map(readSignature)
  const mine = signatures.find(({ name, id }) => name === key.name && id.equals(key.id))
  if (mine === undefined) {
    throw ledgerFailure('checkpoint_invalid', `The note bears no signature of ${key.name}`)
  }
  if (!verify(null, Buffer.from(text), key.publicKey, mine.signature)) {
    throw ledgerFailure('checkpoint_invalid', `The signature of ${key.name} does not fit the note`)
  }
  return text
}

function readSignature(line: string): { name: string; id: Buffer; signature: Buffer } {
  const [, name, encoded] = signatureLine.exec(line) ?? []
  const bytes = Buffer.from(encoded ?? '', 'base64')
  if (name === undefined || bytes.toString('base64') !== encoded) {
    throw ledgerFailure('checkpoint_invalid', 'The signed note has a malformed signature line')
  }
  return { name, id: bytes.subarray(0, 4), signature: bytes.subarray(4) }
}
