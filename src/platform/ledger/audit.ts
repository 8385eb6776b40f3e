import { z } from 'zod'
import { PaveError } from '../errors.ts'
import { type EpochBeginning, restoreOperation } from './begin-epoch.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import { readCheckpoints } from './checkpoints-file.ts'
import { appendLeaves, emptyTree, leafHash, rootOf } from './merkle.ts'
import type { VerifierKey } from './signing-key.ts'

export interface LedgerReport {
  /** Leaves that were read. */
  entries: number
  /** Leaves whose entry hashes to them. */
  verified: number
  /** Exported checkpoints that the leaves agree with. */
  checkpoints: number
  /** Empty when the ledger is what was signed; at most 100, then a count of the rest. */
  problems: string[]
  /** What is no problem and yet has to be said: the restores, and what they are known to have lost. */
  statements: string[]
}

/** What both verifiers share: leaves are taken one by one and compared with everything that was signed. */
export interface Audit {
  /** Takes the leaf that comes next; `body` null means that the entry is gone. Returns whether the entry fits. */
  takeLeaf(ix: number, hash: Buffer, body: string | null): boolean
  /** Something that was signed and stands elsewhere than in the checkpoints file. */
  takeCheckpoint(checkpoint: Checkpoint): void
  problem(text: string): void
  size(): number
  root(): Buffer
  /** The checkpoints that are of more leaves than were taken, and that no restore explains. */
  beyond(): SignedHead[]
  report(): LedgerReport
}

export interface SignedHead extends Checkpoint {
  /** Line of the checkpoints file. */
  line: number
}

const mostProblems = 100

/** Starts with the checkpoints file: each bad signature in it is the first kind of problem. */
export async function startAudit(checkpointsFile: string, publicKey: VerifierKey): Promise<Audit> {
  const problems: string[] = []
  let untold = 0
  const problem = (text: string) => {
    if (problems.length < mostProblems) problems.push(text)
    else untold += 1
  }

  const signed = await readSigned(checkpointsFile, publicKey, problem)
  const restores: Restore[] = []
  const differing: Array<SignedHead & { agreed: number; told: number }> = []
  let tree = emptyTree
  let expected = 0
  let verified = 0
  let next = 0
  let matched = 0
  let agreed = 0
  let newestEpoch = 0

  function compareCheckpoints(): void {
    for (let head = signed[next]; head?.size === tree.size; head = signed[next]) {
      next += 1
      if (rootOf(tree).equals(head.root)) {
        matched += 1
        agreed = head.size
        newestEpoch = Math.max(newestEpoch, head.epoch)
      } else differing.push({ ...head, agreed, told: problems.length })
    }
  }

  /**
   * The restore that took back what a checkpoint signed. Anybody who can write to the database can write the entry of a
   * restore, so that it counts only if a later checkpoint was signed in the epoch that it began, or in a later one.
   */
  function takenBackBy(head: Checkpoint): Restore | undefined {
    return restores.find(({ epoch, size }) => head.epoch < epoch && head.size > size && epoch <= newestEpoch)
  }

  function placeLeaf(ix: number): void {
    if (ix < expected) problem(`leaf ${ix} is out of order: it stands behind leaf ${expected - 1}`)
    else if (ix === expected + 1) problem(`leaf ${expected} is missing`)
    else if (ix > expected) problem(`leaves ${expected} to ${ix - 1} are missing`)
    expected = Math.max(expected, ix + 1)
  }

  function judgeDiffering(): void {
    const wrong = differing.find((head) => takenBackBy(head) === undefined)
    if (wrong === undefined) return
    // A restore is known of only behind it, but the reader wants the problems in the order of the leaves.
    problems.splice(
      wrong.told,
      0,
      `leaves ${wrong.agreed} to ${wrong.size - 1} are not those that the checkpoint of ${wrong.size} entries ` +
        `(line ${wrong.line} of ${checkpointsFile}) was signed for`,
    )
  }

  function describeRestore(restore: Restore): string {
    const { at, backup, size } = restore
    const lost = signed.filter((head) => takenBackBy(head) === restore).map((head) => head.size - size)
    const known =
      lost.length === 0
        ? 'no checkpoint here is of later entries'
        : `checkpoints were signed of ${Math.max(...lost)} entries more`
    return `restored at ${at} from the backup ${backup}, with ${size} sealed entries: what was acknowledged after that backup is not in this ledger (${known})`
  }

  return {
    takeLeaf(ix, hash, body) {
      placeLeaf(ix)
      const fits = body !== null && leafHash(body).equals(hash)
      if (fits) verified += 1
      else if (body !== null) problem(`leaf ${ix} was altered: its entry does not hash to it`)
      tree = appendLeaves(tree, [hash])
      const restore = body === null ? undefined : restoreIn(body)
      if (restore !== undefined && restores.at(-1)?.epoch !== restore.epoch) restores.push(restore)
      compareCheckpoints()
      return fits
    },
    takeCheckpoint(checkpoint) {
      if (checkpoint.size === tree.size && checkpoint.root.equals(rootOf(tree))) {
        newestEpoch = Math.max(newestEpoch, checkpoint.epoch)
      }
    },
    problem,
    size: () => tree.size,
    root: () => rootOf(tree),
    beyond: () => signed.slice(next).filter((head) => takenBackBy(head) === undefined),
    report() {
      judgeDiffering()
      if (signed.length === 0 && tree.size > 0) problem(`no checkpoint in ${checkpointsFile} vouches for the entries`)
      for (const { epoch, at } of restores.filter((restore) => restore.epoch > newestEpoch)) {
        problem(
          `an entry tells of a restore at ${at}, but no checkpoint was signed in the epoch ${epoch} that it began`,
        )
      }
      return {
        entries: tree.size,
        verified,
        checkpoints: matched,
        problems: untold === 0 ? problems : [...problems, `and ${untold} more problems`],
        statements: restores.map(describeRestore),
      }
    },
  }
}

type Restore = EpochBeginning & { at: string }

const RestoreEntry = z.object({
  operation: z.literal(restoreOperation),
  at: z.string(),
  facts: z.object({ epoch: z.int().positive(), size: z.int(), root: z.string(), backup: z.string() }),
})

function restoreIn(body: string): Restore | undefined {
  // Most entries are of something else, and parsing them all would take longer than hashing them.
  if (!body.includes(`"operation":"${restoreOperation}"`)) return undefined
  try {
    const entry = RestoreEntry.safeParse(JSON.parse(body)).data
    return entry && { ...entry.facts, at: entry.at }
  } catch {
    return undefined
  }
}

/** The checkpoints with a good signature, smallest first. */
async function readSigned(
  path: string,
  publicKey: VerifierKey,
  problem: (text: string) => void,
): Promise<SignedHead[]> {
  const { notes, rest } = await readCheckpoints(path)
  if (rest !== '') {
    problem(
      `${path} ends in half a checkpoint; a crash can leave one, and the sealer removes it when it writes the next`,
    )
  }
  const signed: SignedHead[] = []
  for (const { line, note } of notes) {
    try {
      signed.push({ line, ...openCheckpoint(note, publicKey) })
    } catch (error) {
      if (!(error instanceof PaveError)) throw error
      problem(`the checkpoint on line ${line} of ${path} cannot be trusted: ${error.message}`)
    }
  }
  signed.sort((a, b) => a.size - b.size || a.epoch - b.epoch || a.line - b.line)
  signed.forEach((head, index) => {
    const before = signed[index - 1]
    if (before?.size === head.size && before.epoch === head.epoch && !before.root.equals(head.root)) {
      problem(
        `the ledger was forked: two roots of ${head.size} entries were signed, on lines ${before.line} and ${head.line}`,
      )
    }
  })
  return signed
}
