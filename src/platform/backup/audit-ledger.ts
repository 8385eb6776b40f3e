import { join } from 'node:path'
import { PaveError } from '../errors.ts'
import { type LedgerReport, startAudit } from '../ledger/audit.ts'
import { openCheckpoint } from '../ledger/checkpoint.ts'
import type { VerifierKey } from '../ledger/signing-key.ts'
import { readBytea, readCopyRow } from './copy-text.ts'
import { backupFailure } from './errors.ts'
import type { Manifest, Table } from './manifest.ts'
import { linesOf, readPart } from './part-files.ts'

/**
 * Recomputes the ledger from the files of a backup alone: every leaf from its entry, the tree from the leaves, and the
 * checkpoints that were signed. Entries lie in the order of their leaves, those without one behind them.
 */
export async function auditLedger(options: {
  directory: string
  manifest: Pick<Manifest, 'tables'> & {
    ledger: Pick<Manifest['ledger'], 'size' | 'root' | 'checkpoints'> & { checkpoint?: string }
  }
  key: VerifierKey
  /** Instead of the backup's own: a newer copy of the checkpoints file. */
  checkpointsFile?: string | undefined
}): Promise<LedgerReport> {
  const { directory, manifest, key } = options
  const file = options.checkpointsFile ?? join(directory, manifest.ledger.checkpoints.file)
  const audit = await startAudit(file, key)
  const entries = rowsOf(directory, tableOf(manifest, 'entry'), ['seq', 'body'])
  for await (const [ix, seq, hash] of rowsOf(directory, tableOf(manifest, 'leaf'), ['ix', 'seq', 'hash'])) {
    const { value: entry } = await entries.next()
    const lost = entry?.[0] !== seq
    if (lost) audit.problem(`leaf ${ix} has lost its entry ${seq}`)
    audit.takeLeaf(Number(ix), readBytea(hash), lost ? null : (entry?.[1] ?? null))
  }
  for await (const _ of entries);
  const { size, root, checkpoint } = manifest.ledger
  if (audit.size() !== size) audit.problem(`the head is of ${size} entries, the ledger has ${audit.size()} leaves`)
  else if (audit.root().toString('base64') !== root) audit.problem(`the head's root is not that of the ${size} leaves`)
  if (checkpoint !== undefined && checkpoint !== '') {
    try {
      const signed = openCheckpoint(checkpoint, key)
      if (signed.size !== size || signed.root.toString('base64') !== root) {
        audit.problem('the checkpoint of the backup is of another ledger')
      } else audit.takeCheckpoint(signed)
    } catch (error) {
      if (!(error instanceof PaveError)) throw error
      audit.problem(`the checkpoint of the backup cannot be trusted: ${error.message}`)
    }
  }
  return audit.report()
}

/** Some columns of each row. */
async function* rowsOf(
  directory: string,
  table: Table,
  columns: readonly string[],
): AsyncGenerator<Array<string | null>> {
  const places = columns.map((column) => table.columns.indexOf(column))
  for await (const line of linesOf(readPart(directory, table))) {
    const row = readCopyRow(line)
    yield places.map((place) => row[place] ?? null)
  }
}

function tableOf({ tables }: Pick<Manifest, 'tables'>, name: string): Table {
  const found = tables.find(({ schema, table }) => schema === 'ledger' && table === name)
  if (found === undefined) throw backupFailure('backup_damaged', `The backup has no table ledger.${name}`)
  return found
}
