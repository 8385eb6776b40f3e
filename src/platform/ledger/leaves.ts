import type { ClientBase } from 'pg'
import { ledgerFailure } from './ledger-errors.ts'
import { appendLeaves, type HashAt, rootOf, type Tree } from './merkle.ts'

/** `ledger.head`: the tree that was sealed last, and the place in the order of entries up to which it reaches. */
export interface Head {
  size: number
  root: Buffer
  frontier: Buffer[]
  xid: string
  seq: string
}

const batch = 10_000

export async function readHead(client: ClientBase): Promise<Head> {
  const { rows } = await client.query<Head>(
    'select size, root, frontier, head.xid::text as xid, seq::text as seq from ledger.head',
  )
  const [head] = rows
  if (head === undefined) throw ledgerFailure('ledger_forked', 'The table ledger.head is empty')
  return { ...head, size: Number(head.size) }
}

/** The head as a tree. @throws `ledger_forked` when its frontier does not give its root. */
export function treeOf({ size, root, frontier }: Head): Tree {
  const tree = { size, frontier }
  if (!describes(tree, root)) {
    throw ledgerFailure('ledger_forked', `The ledger's head of ${size} entries has a frontier that does not give its root`)
  }
  return tree
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
      throw ledgerFailure('ledger_forked', `Leaf ${start + (missing < 0 ? rows.length : missing)} of the ledger is missing`)
    }
    yield rows.map(({ hash }) => hash)
  }
}

function describes(tree: Tree, root: Buffer): boolean {
  try {
    return rootOf(tree).equals(root)
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}
