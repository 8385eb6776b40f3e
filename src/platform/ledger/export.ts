import { open, rename, rm } from 'node:fs/promises'
import type { ClientBase } from 'pg'
import { signCheckpoint } from './checkpoint.ts'
import { readHead, readSealed } from './leaves.ts'
import { ledgerFailure } from './ledger-errors.ts'
import { appendLeaves, emptyTree, leafHash, rootOf, type Tree } from './merkle.ts'
import type { SigningKey } from './signing-key.ts'

/**
 * Writes the sealed ledger as lines of JSON, `{ix, hash, body}` in the order of leaves and `{checkpoint}` at the end, so
 * that it can be verified without a database. The file appears whole or not at all. Returns the number of entries.
 *
 * @throws `ledger_forked` when the entries are not those that were sealed; nothing is signed then.
 */
export async function exportLedger(options: { client: ClientBase; path: string; key: SigningKey }): Promise<number> {
  const { client, path, key } = options
  const scratch = `${path}.${process.pid}.part`
  const file = await open(scratch, 'w')
  try {
    await client.query('begin isolation level repeatable read read only')
    const head = await readHead(client)
    let tree: Tree = emptyTree
    let lines: string[] = []
    for await (const { ix, entry } of readSealed(client)) {
      if (entry === undefined) throw ledgerFailure('ledger_forked', `Leaf ${ix} of the ledger has lost its entry`)
      const hash = leafHash(entry.body)
      tree = appendLeaves(tree, [hash])
      lines.push(`${JSON.stringify({ ix, hash: hash.toString('base64'), body: entry.body })}\n`)
      if (lines.length < 1000) continue
      await file.write(lines.join(''))
      lines = []
    }
    if (tree.size !== head.size || !rootOf(tree).equals(head.root)) {
      throw ledgerFailure('ledger_forked', `The entries in the database are not the ${head.size} that were sealed`)
    }
    lines.push(`${JSON.stringify({ checkpoint: signCheckpoint(head, key) })}\n`)
    await file.write(lines.join(''))
    await file.sync()
    await rename(scratch, path)
    return tree.size
  } finally {
    await client.query('rollback')
    await file.close()
    await rm(scratch, { force: true })
  }
}
