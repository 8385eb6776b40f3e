import type { ClientBase } from 'pg'
import { z } from 'zod'
import { type LedgerReport, startAudit } from './audit.ts'
import { type Head, isTree, readHead, readSealed, type SealedEntry } from './leaves.ts'
import type { VerifierKey } from './signing-key.ts'

const Subjects = z.array(z.object({ kind: z.string(), id: z.string() }))

/** What of an entry is repeated in columns and in the index of subjects. */
const IndexedParts = z.object({
  id: z.string(),
  at: z.string(),
  workspace: z.string(),
  operation: z.string(),
  subjects: Subjects,
  lineage: z.object({ inputs: Subjects, outputs: Subjects }).optional(),
})

/**
 * Recomputes every leaf from the entries in the database and compares leaves, head, index columns and exported
 * checkpoints, in one read-only snapshot, which holds nobody up. The client's role must see all entries.
 * `unsealed` counts committed entries that have no leaf yet.
 */
export async function verifyLedger(options: {
  client: ClientBase
  checkpointsFile: string
  publicKey: VerifierKey
}): Promise<LedgerReport & { unsealed: number }> {
  const { client, checkpointsFile, publicKey } = options
  // Before the snapshot: a checkpoint exported later could be of more entries than the snapshot has.
  const audit = await startAudit(checkpointsFile, publicKey)
  await client.query('begin isolation level repeatable read read only')
  try {
    const head = await readHead(client)
    let previous: SealedEntry | undefined
    for await (const leaf of readSealed(client)) {
      const { ix, hash, entry } = leaf
      if (entry === undefined) audit.problem(`leaf ${ix} has lost its entry ${leaf.seq}`)
      const fits = audit.takeLeaf(ix, hash, entry?.body ?? null)
      if (entry === undefined) continue
      if (previous !== undefined && !precedes(previous, entry)) {
        audit.problem(`leaf ${ix} is out of order: its entry ${entry.seq} comes before entry ${previous.seq}`)
      }
      for (const problem of fits ? columnProblems(entry) : []) audit.problem(`leaf ${ix}: ${problem}`)
      previous = entry
    }

    if (audit.size() !== head.size)
      audit.problem(`the head is of ${head.size} entries, the ledger has ${audit.size()} leaves`)
    else if (!audit.root().equals(head.root)) audit.problem(`the head's root is not that of the ${head.size} leaves`)
    if (!isTree(head)) audit.problem("the head's frontier does not give its root")
    if (
      previous !== undefined &&
      (previous.epoch !== head.epoch || previous.xid !== head.xid || previous.seq !== head.seq)
    ) {
      audit.problem(`the head ends at entry ${head.seq}, the last leaf is of entry ${previous.seq}`)
    }
    for (const { size, line } of audit.beyond()) {
      audit.problem(
        `the ledger was rolled back to ${audit.size()} entries: a checkpoint of ${size} was signed (line ${line} of ${checkpointsFile})`,
      )
    }
    for (const seq of await slippedIn(client, head)) {
      audit.problem(`entry ${seq} was slipped in: it comes before the end of what is sealed but has no leaf`)
    }
    return { ...audit.report(), unsealed: await countUnsealed(client, head) }
  } finally {
    await client.query('rollback')
  }
}

function precedes(a: SealedEntry, b: SealedEntry): boolean {
  if (a.epoch !== b.epoch) return a.epoch < b.epoch
  const [older, newer] = [BigInt(a.xid), BigInt(b.xid)]
  return older < newer || (older === newer && BigInt(a.seq) < BigInt(b.seq))
}

/** The columns and the index of subjects serve queries only; the entry itself is its body. */
function columnProblems(stored: SealedEntry): string[] {
  const entry = readBody(stored.body)
  if (entry === undefined) return [`entry ${stored.seq} is not in the form of an entry`]
  const subjects = [
    ...entry.subjects.map(({ kind, id }) => `subject ${kind} ${id}`),
    ...(entry.lineage?.inputs ?? []).map(({ kind, id }) => `input ${kind} ${id}`),
    ...(entry.lineage?.outputs ?? []).map(({ kind, id }) => `output ${kind} ${id}`),
  ]
  const same = {
    id: entry.id === stored.id,
    workspace: entry.workspace === stored.workspace,
    operation: entry.operation === stored.operation,
    at: Date.parse(entry.at) === stored.atMs,
    subjects: new Set(subjects).symmetricDifference(new Set(stored.subjects)).size === 0,
  }
  return Object.entries(same)
    .filter(([, equal]) => !equal)
    .map(([name]) => `the indexed ${name} of entry ${stored.seq} is not what the entry says`)
}

function readBody(body: string): z.output<typeof IndexedParts> | undefined {
  try {
    return IndexedParts.safeParse(JSON.parse(body)).data
  } catch {
    return undefined
  }
}

async function slippedIn(client: ClientBase, head: Head): Promise<string[]> {
  const { rows } = await client.query<{ seq: string }>(
    `select seq::text as seq from ledger.entry
     where (entry.epoch, entry.xid, entry.seq) <= ($3::bigint, $1::xid8, $2::bigint)
       and not exists (select from ledger.leaf where leaf.seq = entry.seq)
     order by entry.seq limit 101`,
    [head.xid, head.seq, head.epoch],
  )
  return rows.map(({ seq }) => seq)
}

async function countUnsealed(client: ClientBase, head: Head): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    'select count(*) from ledger.entry where (epoch, xid, seq) > ($3::bigint, $1::xid8, $2::bigint)',
    [head.xid, head.seq, head.epoch],
  )
  return Number(rows[0]?.count)
}
