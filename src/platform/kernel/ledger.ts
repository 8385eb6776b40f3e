import { sql } from 'kysely'
import { handle } from '../context.ts'
import type { Entry, Subject } from '../ledger/entry.ts'
import { decodeCursor, pageFrom } from '../names.ts'
import * as contract from './contract.ts'

/** `kind:id`, where the id may hold colons itself: `object:sha256:…`. */
function subjectOf(text: string): Subject {
  const colon = text.indexOf(':')
  return { kind: text.slice(0, colon), id: text.slice(colon + 1) }
}

export const listEntries = handle(
  contract.listEntries,
  async (ctx, { limit, cursor, subject, outcome, from, ...asked }) => {
    const [before] = decodeCursor(cursor, 1) ?? [Number.MAX_SAFE_INTEGER]
    const operations = asked.operations?.split(',') ?? (asked.operation === undefined ? null : [asked.operation])
    const about = subject === undefined ? undefined : subjectOf(subject)
    const { rows } = await sql<{ seq: number; ix: number | null; body: string }>`
    select e.seq, l.ix, e.body
    from ledger.entry e left join ledger.leaf l on l.seq = e.seq
    where e.seq < ${before}
      and (${operations}::text[] is null or e.operation = any(${operations}))
      and (${from ?? null}::timestamptz is null or e.at >= ${from ?? null})
      and (${outcome ?? null}::text is null or e.body::json ->> 'outcome' = ${outcome ?? null})
      and (${about?.kind ?? null}::text is null
           or e.id in (select s.entry from ledger.subject s
                       where s.workspace = ${ctx.workspace} and s.kind = ${about?.kind ?? null} and s.id = ${about?.id ?? null}))
    order by e.seq desc limit ${limit + 1}
  `.execute(ctx.db)
    return pageFrom(
      rows,
      limit,
      (row) => {
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
      },
      (row) => [row.seq],
    )
  },
)

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
