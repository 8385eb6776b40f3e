import type { ClientBase } from 'pg'
import type { Checkpoint } from './checkpoint.ts'
import { appendCheckpoint, lastCheckpoint } from './checkpoints-file.ts'
import { extendTree, type Head, readHead, treeOf } from './leaves.ts'
import { ledgerFailure } from './ledger-errors.ts'
import { appendLeaves, emptyTree, rootOf, type Tree } from './merkle.ts'
import type { SigningKey } from './signing-key.ts'

export interface SealOptions {
  key: SigningKey
  /** The file that signed checkpoints are appended to. */
  exportTo: string
  /** Most entries to seal at once. */
  limit: number
  /** A checkpoint is exported once the ledger grew by this many entries since the last one. */
  exportAfter: number
  /** Who seals, so that whoever listens knows whether it was itself. */
  announceAs?: string | undefined
  /** What an earlier call returned: spares it to read the ledger again up to there. */
  trusted?: Tree | undefined
}

export interface Sealed {
  /** Entries that got their leaf; 0 also when another sealer was at work. */
  sealed: number
  /** Whether a checkpoint was exported. */
  exported: boolean
  /** The tree as sealed, for the next call. */
  trusted: Tree
}

const sealerLock = 7_283_003

/**
 * Seals the entries that are final: those of transactions older than every running one, in the order (epoch, xid, seq).
 * No entry can come before them any more, so a keyset cursor is enough and appending needs no lock. If A was acknowledged
 * before B began, A's leaf comes before B's.
 *
 * Before it seals, it makes sure that the database's ledger continues what it sealed and what was signed before, and
 * exports a checkpoint of the committed head when one is due. The client's role must see all entries.
 *
 * @throws `ledger_forked`, `checkpoint_invalid`
 */
export async function sealOnce(client: ClientBase, options: SealOptions): Promise<Sealed> {
  const { key, exportTo, limit, exportAfter } = options
  const trusted = options.trusted ?? (await startingPoint(client, options))
  await client.query('begin isolation level read committed')
  try {
    // A statement of its own: the next one's snapshot then shows what the sealer before us committed.
    const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_xact_lock($1) as held', [sealerLock])
    if (rows[0]?.held !== true) {
      await client.query('rollback')
      return { sealed: 0, exported: false, trusted }
    }
    const head = await readHead(client)
    const last = await lastCheckpoint(exportTo, key.verifier)
    const tree = await follow(client, trusted, head, last)
    const exported = tree.size - (last?.size ?? 0) >= exportAfter
    if (exported) await appendCheckpoint(exportTo, head, key)
    const grown = await sealNext(client, tree, head, { limit, alone: false })
    if (grown.size > tree.size) await client.query(`select pg_notify('pave_sealed', $1)`, [options.announceAs ?? ''])
    await commit(client)
    return { sealed: grown.size - tree.size, exported, trusted: grown }
  } catch (error) {
    // The connection may be what failed; the first error says more.
    await client.query('rollback').catch(() => {})
    throw error
  }
}

/** Where to begin without a memory: at the last checkpoint, computed from the leaves unless the head is just there. */
async function startingPoint(client: ClientBase, { key, exportTo }: SealOptions): Promise<Tree> {
  const last = await lastCheckpoint(exportTo, key.verifier)
  const head = await readHead(client)
  if (last === undefined || (last.epoch === head.epoch && last.size === head.size)) return treeOf(head)
  refuseOther(head, last)
  return extendTree(client, emptyTree, last.size)
}

/** The head's tree, reached from the trusted one by way of the last checkpoint. */
async function follow(client: ClientBase, trusted: Tree, head: Head, last: Checkpoint | undefined): Promise<Tree> {
  if (last !== undefined) refuseOther(head, last)
  if (head.size < trusted.size) {
    throw ledgerFailure('ledger_forked', `The ledger shrank from ${trusted.size} to ${head.size} entries`)
  }
  const signed = last !== undefined && last.size > trusted.size ? await extendTree(client, trusted, last.size) : trusted
  if (last?.size === signed.size && !rootOf(signed).equals(last.root)) {
    throw ledgerFailure(
      'ledger_forked',
      `The first ${last.size} entries of the ledger are not those that its last checkpoint was signed for`,
    )
  }
  const tree = await extendTree(client, signed, head.size)
  if (!rootOf(tree).equals(head.root)) {
    throw ledgerFailure(
      'ledger_forked',
      `The head of ${head.size} entries does not continue the ledger sealed before it`,
    )
  }
  return tree
}

/** Only a restore begins an epoch, and it signs a checkpoint of its beginning. */
function refuseOther(head: Head, last: Checkpoint): void {
  if (head.epoch !== last.epoch) {
    throw ledgerFailure(
      'ledger_forked',
      `The ledger is of epoch ${head.epoch}, but the last checkpoint was signed in epoch ${last.epoch}`,
    )
  }
  if (head.size >= last.size) return
  throw ledgerFailure(
    'ledger_forked',
    `The ledger ends at ${head.size} entries, but a checkpoint of ${last.size} was signed: the database was rolled back`,
  )
}

/**
 * Gives the next entries their leaves. `alone`: nobody else writes to this database, so that every entry is final, also
 * those of transactions of another cluster or of this very one.
 */
export async function sealNext(
  client: ClientBase,
  tree: Tree,
  head: Pick<Head, 'epoch' | 'xid' | 'seq'>,
  { limit, alone }: { limit: number; alone: boolean },
): Promise<Tree> {
  const { rows } = await client.query<{ epoch: string; last_xid: string; seq: string; hash: Buffer }>(
    `with final as (
       select epoch, seq, xid, sha256('\\x00'::bytea || convert_to(body, 'UTF8')) as hash
       from ledger.entry
       where (epoch, xid, seq) > ($5::bigint, $2::xid8, $3::bigint)
         and ($6 or xid < pg_snapshot_xmin(pg_current_snapshot()))
       order by epoch, xid, seq
       limit $4
     ), numbered as (
       select $1::bigint - 1 + row_number() over (order by epoch, xid, seq) as ix, epoch, seq, xid, hash from final
     ), written as (
       insert into ledger.leaf (ix, seq, hash) select ix, seq, hash from numbered
     )
     select epoch, xid::text as last_xid, seq::text as seq, hash from numbered order by ix`,
    [tree.size, head.xid, head.seq, limit, head.epoch, alone],
  )
  const last = rows.at(-1)
  if (last === undefined) return tree
  const grown = appendLeaves(
    tree,
    rows.map(({ hash }) => hash),
  )
  await client.query('update ledger.head set size = $1, root = $2, frontier = $3, xid = $4, seq = $5, epoch = $6', [
    grown.size,
    rootOf(grown),
    grown.frontier,
    last.last_xid,
    last.seq,
    last.epoch,
  ])
  return grown
}

async function commit(client: ClientBase): Promise<void> {
  const { command } = await client.query('commit')
  // PostgreSQL answers the commit of a failed transaction with a quiet rollback.
  if (command !== 'COMMIT') throw new Error(`The sealer's transaction ended with ${command}`)
}
