import type { ClientBase } from 'pg'
import { readHead, subtreeReader } from './leaves.ts'
import { ledgerFailure } from './ledger-errors.ts'
import { consistencyProof, inclusionProof } from './merkle.ts'

/** That an entry is leaf `ix` of the ledger of `size` entries, whose root a checkpoint signs. Hashes are in base64. */
export interface EntryProof {
  ix: number
  size: number
  /** The entry as it was hashed. */
  body: string
  /** RFC 6962 audit path, from the leaf upwards. */
  path: string[]
}

/** Reads as many leaves as the ledger has. @throws `leaf_not_found` */
export async function proveEntry(client: ClientBase, ix: number, size: number): Promise<EntryProof> {
  await requireSize(client, size)
  const { rows } = await client.query<{ body: string }>(
    'select body from ledger.leaf join ledger.entry using (seq) where ix = $1',
    [ix],
  )
  const [entry] = rows
  if (entry === undefined || ix >= size)
    throw ledgerFailure('leaf_not_found', `The ledger has no leaf ${ix} among its first ${size}`)
  const path = await inclusionProof(ix, size, subtreeReader(client))
  return { ix, size, body: entry.body, path: path.map((hash) => hash.toString('base64')) }
}

/** Shows that the ledger of `size` entries continues that of `oldSize`. Reads every leaf. @throws `leaf_not_found` */
export async function proveConsistency(client: ClientBase, oldSize: number, size: number): Promise<string[]> {
  await requireSize(client, Math.max(oldSize, size))
  const proof = await consistencyProof(oldSize, size, subtreeReader(client))
  return proof.map((hash) => hash.toString('base64'))
}

async function requireSize(client: ClientBase, size: number): Promise<void> {
  const head = await readHead(client)
  if (size > head.size) throw ledgerFailure('leaf_not_found', `The ledger has ${head.size} leaves, not ${size}`)
}
