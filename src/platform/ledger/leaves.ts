import type { ClientBase } from 'pg'
import { ledgerFailure } from './ledger-errors.ts'
import { appendLeaves, type HashAt, rootOf, type Tree } from './merkle.ts'

/** `ledger.head`: the tree that was sealed last, and the place in the order of entries up to which it reaches. */
export interface Head {
  epoch: number
  size: number
  root: Buffer
  frontier: Buffer[]
  xid: string
  seq: string
}

const batch = 10_000

export async function readHead(client: ClientBase): Promise<Head> {
  const { rows } = await client.query<Head>(
    'select epoch, size, root, frontier, head.xid::text as xid, seq::text as seq from ledger.head',
  )
  const [head] = rows
  if (head === undefined) throw ledgerFailure('ledger_forked', 'The table ledger.head is empty')
  return { ...head, epoch: Number(head.epoch), size: Number(head.size) }
}

/** The head as a tree. @throws `ledger_forked` when its frontier does not give its root. */
export function treeOf(head: Head): Tree {
  if (isTree(head)) return head
  throw ledgerFailure(
    'ledger_forked',
    `The ledger's head of ${head.size} entries has a frontier that does not give its root`,
  )
}

/** Whether the frontier gives the root. */
export function isTree(head: Head): boolean {
  try {
    return rootOf(head).equals(head.root)
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** The tree grown to `size` by the leaves in the database. @throws `ledger_forked` when one is missing. */
export async function extendTree(client: ClientBase, tree: Tree, size: number): Promise<Tree> {
  let grown = tree
  for await (const hashes of leafHashes(client, tree.size, size)) grown = appendLeaves(grown, hashes)
  return grown
}

/** Reads subtrees for proofs, in time linear in the leaves below them. */
export function subtreeReader(client: ClientBase): HashAt {
  return async (level, index) => {
    const width = 2 ** level
    let tree: Tree = { size: 0, frontier: [] }
    for await (const hashes of leafHashes(client, index * width, (index + 1) * width)) tree = appendLeaves(tree, hashes)
    return rootOf(tree)
  }
}

async function* leafHashes(client: ClientBase, from: number, to: number): AsyncGenerator<Buffer[]> {
  for (let start = from; start < to; start += batch) {
    const end = Math.min(start + batch, to)
    const { rows } = await client.query<{ ix: string; hash: Buffer }>(
      'select ix, hash from ledger.leaf where ix >= $1 and ix < $2 order by ix',
      [start, end],
    )
    if (rows.length < end - start) {
      const missing = rows.findIndex(({ ix }, offset) => Number(ix) !== start + offset)
      throw ledgerFailure(
        'ledger_forked',
        `Leaf ${start + (missing < 0 ? rows.length : missing)} of the ledger is missing`,
      )
    }
    yield rows.map(({ hash }) => hash)
  }
}

/** A leaf with the entry that it was made from; undefined when that is gone. */
export interface SealedLeaf {
  ix: number
  seq: string
  hash: Buffer
  entry: SealedEntry | undefined
}

export interface SealedEntry {
  epoch: number
  seq: string
  xid: string
  /** The bytes that were hashed. */
  body: string
  id: string
  workspace: string
  operation: string
  atMs: number
  /** Rows of the index of subjects: role, kind and id. */
  subjects: string[]
}

interface SealedRow extends Omit<SealedEntry, 'atMs' | 'epoch'> {
  epoch: string
  ix: string
  hash: Buffer
  at_ms: string
}

/** Every leaf in order, with its entry, in batches that fit in memory. */
export async function* readSealed(client: ClientBase): AsyncGenerator<SealedLeaf> {
  let after = -1
  for (;;) {
    const { rows } = await client.query<SealedRow | (Pick<SealedRow, 'ix' | 'seq' | 'hash'> & { xid: null })>(
      `select l.ix, l.seq::text as seq, l.hash, e.epoch, e.xid::text as xid, e.body, e.id, e.workspace, e.operation,
         round(extract(epoch from e.at) * 1000)::bigint as at_ms,
         array(select s.role || ' ' || s.kind || ' ' || s.id from ledger.subject s where s.entry = e.id) as subjects
       from (select * from ledger.leaf where ix > $1 order by ix limit 1000) l
       left join ledger.entry e on e.seq = l.seq
       order by l.ix`,
      [after],
    )
    if (rows.length === 0) return
    for (const row of rows) {
      const { ix, seq, hash } = row
      after = Number(ix)
      if (row.xid === null) yield { ix: after, seq, hash, entry: undefined }
      else yield { ix: after, seq, hash, entry: { ...row, epoch: Number(row.epoch), atMs: Number(row.at_ms) } }
    }
  }
}
