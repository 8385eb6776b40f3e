import { sql } from 'kysely'
import { principalNames } from '#modules/identity/queries.ts'
import type { OperationContext } from '#platform/context.ts'
import type { Entry } from '#platform/ledger/entry.ts'
import type { TimelineItem } from './contract.ts'
import type { IncidentRow } from './tables.ts'

/** What led to an incident is looked for in this time before it. */
const lookBackMs = 3_600_000

/** Traffic as such: many entries that say nothing of the incident. */
const traffic = ['record-predictions', 'record-labels', 'replace-prediction-files', 'push-events', 'report-node-status']

/** Nobody writes a timeline: it is what the ledger says of the incident's subjects, and what people commented. */
export async function readTimeline(ctx: OperationContext, incident: IncidentRow): Promise<TimelineItem[]> {
  const items = [...(await entriesAbout(ctx, incident)), ...(await commentsOn(ctx, incident.id))]
  const names = await principalNames(ctx.db, [...new Set(items.map((item) => item.actor))])
  return items
    .map((item) => ({ ...item, actorName: names.get(item.actor) ?? null }))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || (a.leaf ?? Infinity) - (b.leaf ?? Infinity))
}

/** Entries about the subjects while the incident lasted, except findings seen again, and all about the incident itself. */
async function entriesAbout(ctx: OperationContext, incident: IncidentRow): Promise<TimelineItem[]> {
  const from = new Date(Date.parse(incident.opened_at) - lookBackMs).toISOString()
  const { rows } = await sql<{ ix: number | null; body: string }>`
    select l.ix, e.body from ledger.entry e left join ledger.leaf l on l.seq = e.seq
    where e.id in (
        select s.entry from ledger.subject s
        where s.workspace = ${ctx.workspace} and s.kind = 'incident' and s.id = ${incident.id}
      )
      or e.at between ${from} and ${incident.resolved_at ?? 'infinity'}::timestamptz
      and e.operation <> all(${traffic})
      and e.body::jsonb #> '{facts,new}' is distinct from 'false'::jsonb
      and e.id in (
        select s.entry from jsonb_to_recordset(${JSON.stringify(incident.subjects)}::jsonb) as about (kind text, id text)
        join ledger.subject s on s.workspace = ${ctx.workspace} and s.kind = about.kind and s.id = about.id
      )
    order by e.seq desc limit 500
  `.execute(ctx.db)
  return rows.map(({ ix, body }) => {
    const entry: Entry = JSON.parse(body)
    return {
      at: entry.at,
      what: entry.operation,
      outcome: entry.outcome,
      actor: entry.actor.id,
      actorName: null,
      subjects: entry.subjects,
      facts: entry.facts ?? {},
      entry: entry.id,
      leaf: ix,
      comment: null,
    }
  })
}

async function commentsOn(ctx: OperationContext, incident: string): Promise<TimelineItem[]> {
  const { rows } = await sql<{ author: string; at: string; text: string }>`
    select author, at, text from incidents.comment where incident = ${incident} order by at limit 500
  `.execute(ctx.db)
  return rows.map(({ author, at, text }) => ({
    at,
    what: 'comment',
    outcome: 'done',
    actor: author,
    actorName: null,
    subjects: [],
    facts: {},
    entry: null,
    leaf: null,
    comment: text,
  }))
}
