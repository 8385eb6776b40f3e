import { sql } from 'kysely'
import { principalNames } from '#modules/identity/queries.ts'
import type { OperationContext } from '#platform/context.ts'
import type { Entry } from '#platform/ledger/entry.ts'
import { basisPoints, type Strategy } from './contract.ts'
import type { ServedSpan } from './served-contract.ts'
import { type Span, type Step, spansOf } from './served-spans.ts'

/** What an entry says beside what it made so. */
interface Proof {
  entry: Entry
  leaf: number | null
}

export interface ServedHistory {
  /** Oldest first. */
  spans: Span[]
  /** By the id of the entry. */
  proofs: Map<string, Proof>
}

const changes: Record<string, Step['change'] | undefined> = {
  'start-release': 'started',
  'advance-release': 'advanced',
  'rollback-release': 'rolled-back',
}

/** Steps of one endpoint that are read; what is older is not told. */
const mostSteps = 20_000

/**
 * What an endpoint was told to answer with since its first release, read off the ledger: the tables of releases tell it too,
 * but only entries are sealed. They are found by the releases, for an endpoint is named in every chunk of its predictions.
 */
export async function readServedHistory(
  { db, workspace }: OperationContext,
  environment: string,
  endpoint: string,
): Promise<ServedHistory> {
  const { rows: releases } = await sql<{ id: string; strategy: Strategy }>`
    select id, strategy from releases.release where environment = ${environment} and endpoint = ${endpoint}
  `.execute(db)
  const strategies = new Map(releases.map(({ id, strategy }) => [id, strategy]))
  const { rows: found } = await sql<{ entry: string; release: string }>`
    select entry, id as release from ledger.subject
    where workspace = ${workspace} and kind = 'release' and id = any(${[...strategies.keys()]}) and role = 'subject'
    order by entry desc limit ${mostSteps}
  `.execute(db)
  const releaseOf = new Map(found.map(({ entry, release }) => [entry, release]))
  const { rows } = await sql<{ id: string; body: string; ix: number | null }>`
    select e.id, e.body, l.ix from ledger.entry e left join ledger.leaf l on l.seq = e.seq
    where e.id = any(${[...releaseOf.keys()]}::uuid[]) and e.operation = any(${Object.keys(changes)})
    order by e.seq
  `.execute(db)
  const proofs = new Map<string, Proof>()
  const steps = rows.flatMap(({ id, body, ix }): Step[] => {
    const release = releaseOf.get(id) ?? ''
    const entry: Entry = JSON.parse(body)
    const change = changes[entry.operation]
    if (change === undefined || entry.outcome !== 'done') return []
    proofs.set(entry.id, { entry, leaf: ix })
    return [stepOf(entry, change, release, basisPoints(strategies.get(release)?.shadow?.sample ?? '0%'))]
  })
  return { spans: spansOf(steps), proofs }
}

function stepOf(entry: Entry, change: Step['change'], release: string, sample: number): Step {
  const { version, previous, toVersion, state, weight, generation } = entry.facts ?? {}
  const stage = state === 'shadow' || state === 'canary' || state === 'completed' ? state : 'completed'
  const before = change === 'rolled-back' ? toVersion : previous
  return {
    entry: entry.id,
    at: entry.at,
    change,
    release,
    version: String(version),
    stage: change === 'rolled-back' ? null : { state: stage, weight: Number(weight) },
    previous: typeof before === 'string' ? before : null,
    sample,
    generation: typeof generation === 'number' ? generation : null,
  }
}

/** Some spans of a history with who did it, why, and who approved. */
export async function describeSpans(
  ctx: OperationContext,
  { spans: all, proofs }: ServedHistory,
  some: readonly Span[],
): Promise<ServedSpan[]> {
  const starts = new Map(all.filter(({ step }) => step.change === 'started').map(({ step }) => [step.release, step]))
  const wanted = [...new Set(some.flatMap(({ traffic }) => traffic.map((share) => share.release)))]
  const started = wanted.flatMap((release) => {
    const step = release === null ? undefined : starts.get(release)
    const proof = step && proofs.get(step.entry)
    return step === undefined || proof === undefined ? [] : [{ step, entry: proof.entry }]
  })
  const approvals = await approvalsOf(
    ctx,
    started.flatMap(({ entry }) => pendingOf(entry) ?? []),
  )
  const people = [
    ...some.flatMap(({ step }) => actorOf(proofs.get(step.entry)?.entry) ?? []),
    ...started.flatMap(({ entry }) => actorOf(entry) ?? []),
    ...[...approvals.values()].flat().map(({ by }) => by),
  ]
  const names = await principalNames(ctx.db, [...new Set(people)])
  const releases = new Map(
    started.map(({ step, entry }): [string, ServedSpan['releases'][number]] => [
      step.release,
      {
        release: step.release,
        version: step.version,
        startedBy: actorOf(entry) ?? entry.actor.id,
        startedByName: names.get(actorOf(entry) ?? '') ?? null,
        startedAt: step.at,
        note: textOf(entry.facts?.note),
        entry: entry.id,
        approvals: (approvals.get(pendingOf(entry) ?? '') ?? []).map((one) => ({
          ...one,
          byName: names.get(one.by) ?? null,
        })),
      },
    ]),
  )
  return some.flatMap(({ step, from, until, traffic, generation }) => {
    const proof = proofs.get(step.entry)
    if (proof === undefined) return []
    const by = actorOf(proof.entry) ?? proof.entry.actor.id
    return {
      from,
      until,
      traffic,
      change: step.change,
      by,
      byName: names.get(by) ?? null,
      reason: textOf(proof.entry.facts?.reason ?? proof.entry.facts?.note),
      generation,
      plan: textOf(proof.entry.facts?.plan) || null,
      entry: step.entry,
      leaf: proof.leaf,
      releases: traffic.flatMap(({ release }) => releases.get(release ?? '') ?? []),
    }
  })
}

const textOf = (fact: unknown): string => (typeof fact === 'string' ? fact : '')

const actorOf = (entry: Entry | undefined): string | undefined => entry && (entry.onBehalfOf ?? entry.actor.id)

/** What was approved before the release was started, if anything was. */
const pendingOf = (entry: Entry): string | undefined =>
  entry.subjects.find((subject) => subject.kind === 'pending-operation')?.id

async function approvalsOf(
  { db, workspace }: OperationContext,
  pending: readonly string[],
): Promise<Map<string, { by: string; at: string; entry: string }[]>> {
  const { rows } = await sql<{ pending: string; body: string }>`
    select s.id as pending, e.body from ledger.subject s join ledger.entry e on e.id = s.entry
    where s.workspace = ${workspace} and s.kind = 'pending-operation' and s.id = any(${[...pending]}) and s.role = 'subject'
      and e.operation = 'approve'
    order by e.seq
  `.execute(db)
  const found = new Map<string, { by: string; at: string; entry: string }[]>()
  for (const row of rows) {
    const entry: Entry = JSON.parse(row.body)
    if (entry.outcome !== 'done') continue
    found.set(row.pending, [...(found.get(row.pending) ?? []), { by: entry.actor.id, at: entry.at, entry: entry.id }])
  }
  return found
}
