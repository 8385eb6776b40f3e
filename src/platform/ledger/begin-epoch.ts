import type { ClientBase } from 'pg'
import { canonicalJson } from '../canonical-json.ts'
import type { Entry } from './entry.ts'
import { extendTree, type Head, readHead } from './leaves.ts'
import { ledgerFailure } from './ledger-errors.ts'
import { emptyTree, rootOf } from './merkle.ts'
import { sealNext } from './seal.ts'

/** The operation of the entry that an epoch begins with; `facts` are an `EpochBeginning`. */
export const restoreOperation = 'restore-backup'

/** What the entry says. */
export interface EpochBeginning {
  epoch: number
  /** Leaves that were sealed in the backup: what earlier epochs signed beyond them may be lost. */
  size: number
  /** Root of those leaves, in base64. */
  root: string
  backup: string
}

const batch = 5_000

/**
 * Begins an epoch in the caller's transaction, which nobody else's may overlap: makes sure that the leaves are those of the
 * head, appends the entries, and seals them behind everything that the backup brought. The client must own the tables.
 * Answers the head to be signed once the transaction is committed.
 *
 * @throws `ledger_forked` when the leaves are not those that were sealed
 */
export async function beginEpoch(
  client: ClientBase,
  epoch: number,
  entriesAfter: (head: Head) => readonly Entry[],
): Promise<Head> {
  const head = await readHead(client)
  const sealed = await extendTree(client, emptyTree, head.size)
  if (!rootOf(sealed).equals(head.root)) {
    throw ledgerFailure('ledger_forked', `The ${head.size} leaves are not those that the ledger's head was sealed for`)
  }
  if (!Number.isSafeInteger(epoch) || epoch <= head.epoch) {
    throw new RangeError(`Epoch ${epoch} does not come after epoch ${head.epoch}`)
  }
  await client.query(`alter table ledger.entry alter column epoch set default ${epoch}`)
  for (const entry of entriesAfter(head)) await append(client, entry)
  let tree = sealed
  for (;;) {
    const grown = await sealNext(client, tree, await readHead(client), { limit: batch, alone: true })
    if (grown.size === tree.size) return readHead(client)
    tree = grown
  }
}

async function append(client: ClientBase, entry: Entry): Promise<void> {
  const { workspace, id, at, operation, subjects } = entry
  await client.query('insert into ledger.entry (workspace, id, at, operation, body) values ($1, $2, $3, $4, $5)', [
    workspace,
    id,
    at,
    operation,
    canonicalJson(entry),
  ])
  for (const subject of subjects) {
    await client.query(
      `insert into ledger.subject (workspace, entry, role, kind, id) values ($1, $2, 'subject', $3, $4)`,
      [workspace, id, subject.kind, subject.id],
    )
  }
}
