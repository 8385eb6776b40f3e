import { createReadStream } from 'node:fs'
import { z } from 'zod'
import { PaveError } from '../errors.ts'
import { type Audit, type LedgerReport, startAudit } from './audit.ts'
import { openCheckpoint } from './checkpoint.ts'
import type { VerifierKey } from './signing-key.ts'

/** Base64 has several spellings of some bytes; only the one that `exportLedger` writes counts. */
const Hash = z.string().refine((text) => Buffer.from(text, 'base64').toString('base64') === text && text.length === 44)
const Leaf = z.strictObject({ ix: z.int().nonnegative(), hash: Hash, body: z.string() })
const End = z.strictObject({ checkpoint: z.string() })
const Line = z.union([Leaf, End])

/** Characters; an entry is a few thousand. */
const longestLine = 16 * 1024 * 1024

/**
 * Verifies a file that `exportLedger` wrote against the checkpoints exported while the ledger grew; needs no database.
 * `newer` counts the checkpoints signed after the export, which say nothing about it.
 */
export async function verifyLedgerFile(options: {
  entriesFile: string
  checkpointsFile: string
  publicKey: VerifierKey
}): Promise<LedgerReport & { newer: number }> {
  const { entriesFile, checkpointsFile, publicKey } = options
  const audit = await startAudit(checkpointsFile, publicKey)
  let number = 0
  let endedAt: number | undefined
  for await (const text of linesOf(entriesFile)) {
    number += 1
    const line = readLine(text)
    if (line === undefined) audit.problem(`line ${number} of ${entriesFile} is not a line of an exported ledger`)
    else if (endedAt !== undefined)
      audit.problem(`line ${number} of ${entriesFile} stands behind the closing checkpoint`)
    else if ('checkpoint' in line) {
      endedAt = number
      compareEnd(audit, line.checkpoint, publicKey)
    } else audit.takeLeaf(line.ix, Buffer.from(line.hash, 'base64'), line.body)
  }
  if (endedAt === undefined) {
    audit.problem(`${entriesFile} was truncated after ${audit.size()} entries: it has no closing checkpoint`)
  }
  return { ...audit.report(), newer: audit.beyond().length }
}

function compareEnd(audit: Audit, note: string, publicKey: VerifierKey): void {
  try {
    const checkpoint = openCheckpoint(note, publicKey)
    const { size, root } = checkpoint
    if (size !== audit.size())
      audit.problem(`the closing checkpoint is of ${size} entries, the file has ${audit.size()}`)
    else if (!root.equals(audit.root()))
      audit.problem(`the ${size} entries are not those that the closing checkpoint signs`)
    else audit.takeCheckpoint(checkpoint)
  } catch (error) {
    if (!(error instanceof PaveError)) throw error
    audit.problem(`the closing checkpoint cannot be trusted: ${error.message}`)
  }
}

function readLine(text: string): z.output<typeof Line> | undefined {
  try {
    return Line.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** Lines end at U+000A alone: `node:readline` would also break at U+2028, which JSON strings may hold. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of createReadStream(path, 'utf8')) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
    if (rest.length > longestLine) break
  }
  if (rest !== '') yield rest
}
