import { PaveError } from '../errors.ts'
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
}

/** What both verifiers share: leaves are taken one by one and compared with everything that was signed. */
export interface Audit {
  /** Takes the leaf that comes next; `body` null means that the entry is gone. Returns whether the entry fits. */
  takeLeaf(ix: number, hash: Buffer, body: string | null): boolean
  problem(text: string): void
  size(): number
  root(): Buffer
  /** The checkpoints that are of more leaves than were taken. */
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
  let tree = emptyTree
  let expected = 0
  let verified = 0
  let next = 0
  let matched = 0
  let agreed = 0
  let disagreeing: SignedHead | undefined

  function compareCheckpoints(): void {
    for (let head = signed[next]; head?.size === tree.size; head = signed[next]) {
      next += 1
      if (rootOf(tree).equals(head.root)) {
        matched += 1
        agreed = head.size
      } else if (disagreeing === undefined) {
        disagreeing = head
        problem(
          `leaves ${agreed} to ${head.size - 1} are not those that the checkpoint of ${head.size} entries ` +
            `(line ${head.line} of ${checkpointsFile}) was signed for`,
        )
      }
    }
  }

  function placeLeaf(ix: number): void {
    if (ix < expected) problem(`leaf ${ix} is out of order: it stands behind leaf ${expected - 1}`)
    else if (ix === expected + 1) problem(`leaf ${expected} is missing`)
    else if (ix > expected) problem(`leaves ${expected} to ${ix - 1} are missing`)
    expected = Math.max(expected, ix + 1)
  }

  return {
    takeLeaf(ix, hash, body) {
      placeLeaf(ix)
      const fits = body !== null && leafHash(body).equals(hash)
      if (fits) verified += 1
      else if (body !== null) problem(`leaf ${ix} was altered: its entry does not hash to it`)
      tree = appendLeaves(tree, [hash])
      compareCheckpoints()
      return fits
    },
    problem,
    size: () => tree.size,
    root: () => rootOf(tree),
    beyond: () => signed.slice(next),
    report() {
      if (signed.length === 0 && tree.size > 0) problem(`no checkpoint in ${checkpointsFile} vouches for the entries`)
      return {
        entries: tree.size,
        verified,
        checkpoints: matched,
        problems: untold === 0 ? problems : [...problems, `and ${untold} more problems`],
      }
    },
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
  signed.sort((a, b) => a.size - b.size || a.line - b.line)
  signed.forEach((head, index) => {
    const before = signed[index - 1]
    if (before?.size === head.size && !before.root.equals(head.root)) {
      problem(
        `the ledger was forked: two roots of ${head.size} entries were signed, on lines ${before.line} and ${head.line}`,
      )
    }
  })
  return signed
}
