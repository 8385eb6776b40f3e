import { sql } from 'kysely'
import { z } from 'zod'
import type { OperationContext } from '#platform/context.ts'
import type { Entry } from '#platform/ledger/entry.ts'
import type { Span } from './served-spans.ts'

/** What a node said in one entry of the ledger. */
export interface NodeReport {
  node: string
  at: string
  entry: string
  generation: number
  failed: { version: string; reason: string }[]
  overrides: { endpoint: string; version: string; reason: string }[]
}

const Facts = z.object({
  environment: z.string(),
  generation: z.int(),
  failed: z.array(z.object({ version: z.string(), reason: z.string() })).default([]),
  overrides: z.array(z.object({ endpoint: z.string(), version: z.string(), reason: z.string() })).default([]),
})

/** Nodes that are asked after, those that were heard of last first. */
const mostNodes = 500

/** Reports that are looked through to find when each span was taken. */
const mostReports = 20_000
const endOfTime = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** Clocks of several control planes may differ by this. */
const clockSlackMs = 5_000

/**
 * What every node of an environment had last said at an instant. Entries of a node are found by their ids, which rise with
 * time, so that years of reports cost no more than a day of them. A node may have been of another environment once: its
 * entries say of which.
 */
export async function lastReports(
  { db, workspace }: OperationContext,
  environment: string,
  at: number,
): Promise<NodeReport[]> {
  // An operation has its id before its entry has its time: what was entered by then has an id of then or earlier.
  const { rows: found } = await sql<{ entry: string }>`
    select r.entry from (select node from releases.node order by reported_at desc limit ${mostNodes}) n
    cross join lateral (
      select s.entry from ledger.subject s
      where s.workspace = ${workspace} and s.kind = 'node' and s.id = n.node and s.entry < ${idAt(at + 1)}
      order by s.entry desc limit 5
    ) r
  `.execute(db)
  const { rows } = await sql<{ body: string }>`
    select e.body from ledger.entry e
    where e.id = any(${found.map(({ entry }) => entry)}::uuid[]) and e.operation = 'report-node-status'
      and e.at <= ${new Date(at).toISOString()}
    order by e.id
  `.execute(db)
  const last = new Map<string, Entry>()
  for (const { body } of rows) {
    const entry: Entry = JSON.parse(body)
    const node = entry.subjects.find(({ kind }) => kind === 'node')?.id
    if (node !== undefined) last.set(node, entry)
  }
  return [...last.keys()].sort().flatMap((node): NodeReport[] => {
    const entry = last.get(node)
    if (entry === undefined) return []
    const { environment: of, ...facts } = Facts.parse(entry.facts)
    return of === environment ? [{ node, at: entry.at, entry: entry.id, ...facts }] : []
  })
}

/** When each node first said that it had a plan of the span or a later one, while the span lasted or after an instant. */
export async function takenAt(
  { db, workspace }: OperationContext,
  environment: string,
  spans: readonly Pick<Span, 'from' | 'until' | 'generation'>[],
): Promise<Map<string, string>[]> {
  if (spans.length === 0) return []
  const first = Math.min(...spans.map(({ from }) => Date.parse(from)))
  const last = Math.max(...spans.map(({ until }) => (until === null ? Infinity : Date.parse(until))))
  // Names first, bodies then: a planner without statistics joins the two the wrong way round, which takes seconds.
  const { rows: found } = await sql<{ node: string; entry: string }>`
    select s.id as node, s.entry from ledger.subject s
    where s.workspace = ${workspace} and s.kind = 'node'
      and s.id = any(array(select node from releases.node order by reported_at desc limit ${mostNodes}))
      and s.entry >= ${idAt(first - clockSlackMs)}
      and s.entry < ${last === Infinity ? endOfTime : idAt(last + clockSlackMs)}
    order by s.entry limit ${mostReports}
  `.execute(db)
  const nodes = new Map(found.map(({ node, entry }) => [entry, node]))
  const { rows: reports } = await sql<{ id: string; at: string; generation: number }>`
    select e.id, e.at, (e.body::jsonb #>> '{facts,generation}')::int as generation from ledger.entry e
    where e.id = any(${[...nodes.keys()]}::uuid[]) and e.operation = 'report-node-status'
      and e.body::jsonb #>> '{facts,environment}' = ${environment}
    order by e.id
  `.execute(db)
  const rows = reports.map(({ id, ...report }) => ({ ...report, node: nodes.get(id) ?? '' }))
  return spans.map(({ from, until, generation }) => {
    const taken = new Map<string, string>()
    const begun = Date.parse(from) - clockSlackMs
    const end = until === null ? Infinity : Date.parse(until)
    for (const { node, at, generation: has } of rows) {
      const time = Date.parse(at)
      if (time >= end) continue
      if (time >= begun && generation !== null && has >= generation && !taken.has(node)) taken.set(node, at)
    }
    return taken
  })
}

/** The smallest id of version 7 that an entry of this millisecond can have. */
function idAt(milliseconds: number): string {
  const hex = Math.max(0, Math.floor(milliseconds)).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`
}
