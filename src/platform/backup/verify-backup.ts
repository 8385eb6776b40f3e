import { dirname } from 'node:path'
import { PaveError } from '../errors.ts'
import type { VerifierKey } from '../ledger/signing-key.ts'
import { parseVerifierKey } from '../ledger/signing-key.ts'
import type { StoredObject } from '../storage/objects/object-store.ts'
import { auditLedger } from './audit-ledger.ts'
import { checkObjects, readLine } from './copy-objects.ts'
import { type Manifest, type Part, readManifest } from './manifest.ts'
import { linesOf, readPart } from './part-files.ts'
import { placeObjects } from './take-backup.ts'

export interface BackupReport {
  backup: string
  pave: string
  takenAt: string
  rows: number
  objects: number
  files: number
  ledger: { entries: number; sealed: number; checkpoints: number }
  /** What is wrong with the backup. */
  problems: string[]
  /** What was wrong with the data when the backup was taken. */
  problemsWhenTaken: string[]
  /** Restores that the ledger tells of. */
  statements: string[]
}

/** Checks every byte of a backup from its files alone: digests, row counts, objects, and the ledger from leaf 0. */
export async function verifyBackup(options: {
  directory: string
  /** The key that is known to be the ledger's; the backup's own otherwise. */
  key?: VerifierKey | undefined
  /** A copy of the checkpoints that is kept elsewhere. */
  checkpointsFile?: string | undefined
  onProgress: (text: string) => void
}): Promise<BackupReport> {
  const { directory, onProgress } = options
  const manifest = await readManifest(directory, options.key)
  const problems: string[] = []
  onProgress(`${manifest.tables.length} tables`)
  for (const part of partsOf(manifest)) {
    await collect(problems, async () => {
      const rows = await countLines(directory, part)
      if ('rows' in part && rows !== part.rows)
        problems.push(`${part.file} has ${rows} rows, ${part.rows} were written`)
    })
  }
  onProgress(`${manifest.objects.count + manifest.files.count} objects and files`)
  await collect(problems, async () => {
    const lost = await checkObjects(
      await storedIn(directory, manifest),
      await placeObjects(dirname(directory)),
      () => {},
    )
    for (const { digest, code } of lost) {
      problems.push(`the object ${digest} ${code === 'object_corrupt' ? 'is damaged' : 'is missing'}`)
    }
  })
  onProgress('the ledger')
  const ledger = { entries: manifest.ledger.entries, sealed: 0, checkpoints: 0 }
  let statements: string[] = []
  await collect(problems, async () => {
    const key = options.key ?? parseVerifierKey(manifest.ledger.key)
    const report = await auditLedger({ directory, manifest, key, checkpointsFile: options.checkpointsFile })
    problems.push(...report.problems.filter((problem) => !manifest.problems.includes(problem)))
    ledger.sealed = report.entries
    ledger.checkpoints = report.checkpoints
    statements = report.statements
  })
  return {
    backup: manifest.backup,
    pave: manifest.pave,
    takenAt: manifest.startedAt,
    rows: manifest.tables.reduce((sum, { rows }) => sum + rows, 0),
    objects: manifest.objects.count,
    files: manifest.files.count,
    ledger,
    problems: [...new Set(problems)],
    problemsWhenTaken: manifest.problems,
    statements,
  }
}

/** Objects and files by their digests, each once. */
export async function storedIn(directory: string, manifest: Manifest): Promise<StoredObject[]> {
  const stored = new Map<string, StoredObject>()
  for (const part of [manifest.objects, manifest.files]) {
    for await (const line of linesOf(readPart(directory, part))) {
      const { digest, size } = readLine(line)
      if (digest !== '') stored.set(digest, { digest, size })
    }
  }
  return [...stored.values()]
}

function partsOf(manifest: Manifest): Part[] {
  const { tables, ledger, keys, objects, files, online } = manifest
  return [...tables, ledger.checkpoints, keys, objects, files, ...(online === null ? [] : [online])]
}

async function countLines(directory: string, part: Part): Promise<number> {
  let lines = 0
  for await (const chunk of readPart(directory, part)) {
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) lines++
  }
  return lines
}

/** One damaged file keeps nobody from looking at the next. */
async function collect(problems: string[], work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof PaveError)) throw error
    problems.push(error.message)
  }
}
