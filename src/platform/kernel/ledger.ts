import { sql } from 'kysely'
import { handle, type OperationContext } from '../context.ts'
import type { Entry, Subject } from '../ledger/entry.ts'
import { ledgerFailure } from '../ledger/ledger-errors.ts'
import { decodeCursor, pageFrom } from '../names.ts'
import * as contract from './contract.ts'

/** `kind:id`, where the id may hold colons itself: `object:sha256:…`. */
function subjectOf(text: string): Subject {
  const colon = text.indexOf(':')
  return { kind: text.slice(0, colon), id: text.slice(colon + 1) }
}

export const listEntries = handle(contract.listEntries, async (ctx, { limit, cursor, ...filter }) => {
  const [before] = decodeCursor(cursor, 1) ?? [Number.MAX_SAFE_INTEGER]
  const about = filter.subject === undefined ? undefined : subjectOf(filter.subject)
  const operations = filter.operations?.split(',') ?? (filter.operation === undefined ? undefined : [filter.operation])
  const conditions = [
    sql`e.seq < ${before}`,
    operations !== undefined && sql`e.operation = any(${operations})`,
    filter.outcome !== undefined && sql`e.body::json ->> 'outcome' = ${filter.outcome}`,
    // What readers ask for most among those is said again as the partial index has it.
    filter.outcome !== undefined && filter.outcome !== 'done' && sql`e.body::json ->> 'outcome' <> 'done'`,
    filter.actor !== undefined && sql`e.body::json #>> '{actor,id}' = ${filter.actor}`,
    filter.from !== undefined && sql`e.at >= ${filter.from}`,
    filter.until !== undefined && sql`e.at < ${filter.until}`,
    about !== undefined &&
      sql`e.id in (select s.entry from ledger.subject s
                   where s.workspace = ${ctx.workspace} and s.kind = ${about.kind} and s.id = ${about.id})`,
  ].filter((condition) => condition !== false)
  const { rows } = await sql<EntryRow>`
    select e.seq, l.ix, e.body
    from ledger.entry e left join ledger.leaf l on l.seq = e.seq
    where e.workspace = ${ctx.workspace} and ${sql.join(conditions, sql` and `)}
    order by e.seq desc limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, entryOf, (row) => [row.seq])
})

interface EntryRow {
  seq: number
  ix: number | null
  body: string
}

function entryOf(row: EntryRow): contract.LedgerEntry {
  const entry: Entry = JSON.parse(row.body)
  return {
    leaf: row.ix,
    id: entry.id,
    at: entry.at,
    actor: entry.actor,
    operation: entry.operation,
    outcome: entry.outcome,
    ...(entry.errorCode !== undefined && { errorCode: entry.errorCode }),
    subjects: entry.subjects,
    ...(entry.lineage !== undefined && { lineage: entry.lineage }),
    ...(entry.facts !== undefined && { facts: entry.facts }),
  }
}

async function readEntry(ctx: OperationContext, id: string): Promise<EntryRow> {
  const { rows } = await sql<EntryRow>`
    select e.seq, l.ix, e.body from ledger.entry e left join ledger.leaf l on l.seq = e.seq
    where e.id = ${id} and e.workspace = ${ctx.workspace}
  `.execute(ctx.db)
  if (rows[0] === undefined) throw ledgerFailure('entry_not_found', `The ledger has no entry ${id}`)
  return rows[0]
}

export const getEntry = handle(contract.getEntry, async (ctx, { entry: id }) => {
  const row = await readEntry(ctx, id)
  const { onBehalfOf, inputDigest, before, after, traceId }: Entry = JSON.parse(row.body)
  return {
    ...entryOf(row),
    inputDigest,
    ...(onBehalfOf !== undefined && { onBehalfOf }),
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
    ...(traceId !== undefined && { traceId }),
  }
})

/** The hashes beside the path are of other workspaces too: they say nothing about what was hashed. */
export const proveEntry = handle(contract.proveEntry, async (ctx, { entry: id, since }) => {
  const { ix } = await readEntry(ctx, id)
  if (ix === null) throw ledgerFailure('entry_not_sealed', `The entry ${id} was not sealed yet`)
  const { ix: leaf, size, body, path, checkpoint, key, consistency } = await ctx.services.proveLeaf(ix, since)
  return { leaf, size, body, path, checkpoint, key, consistency: consistency ?? null }
})

/** Breadth first along the edges that operations left, one query a level. */
export const traceLineage = handle(contract.traceLineage, async (ctx, { object, direction, depth }) => {
  const [near, far] = direction === 'upstream' ? ['output', 'input'] : ['input', 'output']
  const edges = new Map<string, { from: Subject; to: Subject; operation: string; entry: string }>()
  const seen = new Set<string>([object])
  let frontier = [subjectOf(object)]
  for (let level = 0; level < depth && frontier.length > 0; level++) {
    const { rows } = await sql<{
      near_kind: string
      near_id: string
      far_kind: string
      far_id: string
      operation: string
      entry: string
    }>`
      select n.kind as near_kind, n.id as near_id, f.kind as far_kind, f.id as far_id, e.operation, e.id as entry
      from jsonb_to_recordset(${JSON.stringify(frontier)}::jsonb) as want (kind text, id text)
      join ledger.subject n on n.workspace = ${ctx.workspace} and n.role = ${near} and n.kind = want.kind and n.id = want.id
      join ledger.subject f on f.entry = n.entry and f.role = ${far}
      join ledger.entry e on e.id = n.entry
      order by e.seq limit 2000
    `.execute(ctx.db)
    frontier = []
    for (const row of rows) {
      const nearSubject = { kind: row.near_kind, id: row.near_id }
      const farSubject = { kind: row.far_kind, id: row.far_id }
      const [from, to] = direction === 'upstream' ? [farSubject, nearSubject] : [nearSubject, farSubject]
      edges.set(`${from.kind}:${from.id} ${to.kind}:${to.id}`, { from, to, operation: row.operation, entry: row.entry })
      const name = `${farSubject.kind}:${farSubject.id}`
      if (!seen.has(name)) {
        seen.add(name)
        frontier.push(farSubject)
      }
    }
  }
  return { edges: [...edges.values()] }
})

/** Reads every workspace's entries, which is why it is not a question that row-level security could answer. */
export const verifyLedger = handle(contract.verifyLedger, async (ctx) => ctx.services.verifyLedger())

/** Every workspace's entries, as the tree holds them; only an administrator may ask for the file. */
export const exportLedger = handle(contract.exportLedger, async (ctx) => ctx.services.exportLedger())
