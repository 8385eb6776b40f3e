import { sql } from 'kysely'
import type { Actor } from './actor.ts'
import { canonicalJson } from './canonical-json.ts'
import { platformFailure } from './errors.ts'
import { digestOf } from './ids.ts'
import type { Operation } from './operation.ts'
import type { Admission, OperationContext, PendingAnswer } from './platform.ts'
import type { Db } from './storage/database/database.ts'

export interface PendingOperation {
  id: string
  operation: string
  input: unknown
  point: string
  evidence: Record<string, unknown>
  evidenceDigest: string
  quorum: number
  excluded: string[]
  requestedBy: string
  /** Who asked, with the grants of that time: the operation runs as this actor. */
  actor: Actor
  requestedAt: string
  expiresAt: string
  state: 'pending' | 'done' | 'rejected' | 'failed' | 'lapsed' | 'cancelled'
  outcome: unknown
  approvals: Array<{ approver: string; decision: 'approve' | 'reject'; comment: string; at: string }>
}

/** Stores an operation whole, to run when its quorum is reached. An identical waiting one is answered instead. */
export async function storePendingOperation(
  ctx: OperationContext,
  operation: Operation,
  input: unknown,
  admission: Extract<Admission, { verdict: 'pending' }>,
): Promise<PendingAnswer> {
  const evidence = { ...admission.evidence, excluded: admission.excluded }
  const evidenceDigest = digestOfEvidence(admission)
  const same = await sql<{ id: string }>`
    select id from platform.pending_operation
    where operation = ${operation.name} and evidence_digest = ${evidenceDigest} and state = 'pending'
      and input = ${JSON.stringify(input)}::jsonb and requested_by = ${ctx.actor.id} and expires_at > ${ctx.clock.iso()}
  `.execute(ctx.db)
  const id = same.rows[0]?.id ?? ctx.ids.next()
  if (same.rows[0] === undefined) {
    const expiresAt = new Date(ctx.clock.now() + admission.expiresInMs).toISOString()
    await sql`
      insert into platform.pending_operation
        (workspace, id, operation, input, point, evidence, evidence_digest, quorum, requested_by, actor, requested_at,
         expires_at, state)
      values (${ctx.workspace}, ${id}, ${operation.name}, ${JSON.stringify(input)}::jsonb,
              ${operation.admission ?? ''}, ${JSON.stringify(evidence)}::jsonb, ${evidenceDigest}, ${admission.quorum},
              ${ctx.actor.id}, ${JSON.stringify(ctx.actor)}::jsonb, ${ctx.clock.iso()}, ${expiresAt}, 'pending')
    `.execute(ctx.db)
  }
  return { pending: { id, state: 'pending', operation: operation.name, quorum: admission.quorum, evidenceDigest } }
}

/** What approvals bind to: when the evidence changes, they lapse. */
export function digestOfEvidence(admission: Extract<Admission, { verdict: 'pending' }>): string {
  const { evidence, excluded, quorum } = admission
  return digestOf(canonicalJson(JSON.parse(JSON.stringify({ ...evidence, excluded, quorum }))))
}

export function approvalRequired({ pending }: PendingAnswer) {
  return platformFailure('approval_required', `${pending.operation} waits for ${pending.quorum} approval(s)`, {
    hint: `An approver runs: pave approve ${pending.id}`,
    details: { pending },
  })
}

interface PendingRow {
  id: string
  operation: string
  input: unknown
  point: string
  evidence: Record<string, unknown>
  evidence_digest: string
  quorum: number
  requested_by: string
  actor: Actor
  requested_at: string
  expires_at: string
  state: PendingOperation['state']
  outcome: unknown
  approvals: PendingOperation['approvals']
}

interface PendingFilter {
  id?: string
  state?: string
  newestFirst?: boolean
  after?: { at: string; id: string }
  limit?: number
}

/** Waiting operations of the workspace, oldest first unless the filter says otherwise. */
export async function readPendingOperations(db: Db, filter: PendingFilter): Promise<PendingOperation[]> {
  const { after, newestFirst = false } = filter
  const order = sql.raw(newestFirst ? 'desc' : 'asc')
  const beyond = sql.raw(newestFirst ? '<' : '>')
  const page =
    after === undefined
      ? sql`true`
      : sql`(p.requested_at, p.id) ${beyond} (${after.at}::timestamptz, ${after.id}::uuid)`
  const { rows } = await sql<PendingRow>`
    select p.id, p.operation, p.input, p.point, p.evidence, p.evidence_digest, p.quorum, p.requested_by,
           p.actor, p.requested_at, p.expires_at, p.state, p.outcome,
           coalesce((select jsonb_agg(jsonb_build_object('approver', a.approver, 'decision', a.decision,
                       'comment', a.comment, 'at', a.at) order by a.at)
                     from platform.approval a where a.workspace = p.workspace and a.pending = p.id), '[]') as approvals
    from platform.pending_operation p
    where (${filter.id ?? null}::uuid is null or p.id = ${filter.id ?? null}::uuid)
      and (${filter.state ?? null}::text is null or p.state = ${filter.state ?? null}::text)
      and ${page}
    order by p.requested_at ${order}, p.id ${order} limit ${filter.limit ?? 100}
  `.execute(db)
  return rows.map((row) => {
    const excluded = row.evidence.excluded
    return {
      id: row.id,
      operation: row.operation,
      input: row.input,
      point: row.point,
      evidence: row.evidence,
      evidenceDigest: row.evidence_digest,
      quorum: row.quorum,
      excluded: Array.isArray(excluded) ? excluded.map(String) : [],
      requestedBy: row.requested_by,
      actor: row.actor,
      requestedAt: row.requested_at,
      expiresAt: row.expires_at,
      state: row.state,
      outcome: row.outcome,
      approvals: row.approvals.map((approval) => ({ ...approval, at: new Date(approval.at).toISOString() })),
    }
  })
}

/** Nobody decides on what they asked for or wrote, nor does a run or job that acts for them. */
export function isExcluded(actor: Actor, pending: Pick<PendingOperation, 'excluded'>): boolean {
  return [actor.id, actor.onBehalfOf].some((decider) => decider !== undefined && pending.excluded.includes(decider))
}

export type Decision = 'approve' | 'reject'

/** Enters one decision; answers whether the quorum is reached now, so that the caller may run the operation. */
export async function decidePendingOperation(
  ctx: OperationContext,
  id: string,
  decision: Decision,
  comment: string,
): Promise<{ pending: PendingOperation; ready: boolean }> {
  // A statement of its own: the next one then sees what whoever held the lock decided.
  await sql`select 1 from platform.pending_operation where id = ${id} for update`.execute(ctx.db)
  const [pending] = await readPendingOperations(ctx.db, { id })
  if (pending === undefined) throw platformFailure('pending_operation_not_found', `No operation waits as ${id}`)
  if (pending.state !== 'pending') {
    throw platformFailure('pending_operation_closed', `The operation ${pending.operation} is already ${pending.state}`)
  }
  if (Date.parse(pending.expiresAt) < ctx.clock.now()) {
    await closePendingOperation(ctx, id, 'lapsed', { reason: `expired at ${pending.expiresAt}` })
    return { pending: { ...pending, state: 'lapsed' }, ready: false }
  }
  if (isExcluded(ctx.actor, pending)) {
    throw platformFailure(
      'permission_denied',
      `${ctx.actor.name} is the author or the requester of this change and may not decide on it`,
      { hint: 'Ask somebody else who holds the approver role.' },
    )
  }
  await sql`
    insert into platform.approval (workspace, pending, approver, decision, comment, evidence_digest, at)
    values (${ctx.workspace}, ${id}, ${ctx.actor.id}, ${decision}, ${comment}, ${pending.evidenceDigest},
            ${ctx.clock.iso()})
    on conflict (workspace, pending, approver)
      do update set decision = excluded.decision, comment = excluded.comment, at = excluded.at
  `.execute(ctx.db)
  if (decision === 'reject') {
    await closePendingOperation(ctx, id, 'rejected', { by: ctx.actor.id, comment })
    return { pending: { ...pending, state: 'rejected' }, ready: false }
  }
  const given = new Set(pending.approvals.filter((one) => one.decision === 'approve').map((one) => one.approver))
  given.add(ctx.actor.id)
  return { pending, ready: given.size >= pending.quorum }
}

/** Answers whether it was open until now: what was decided stays decided. */
export async function closePendingOperation(
  ctx: OperationContext,
  id: string,
  state: PendingOperation['state'],
  outcome: unknown,
): Promise<boolean> {
  const { rows } = await sql`
    update platform.pending_operation
    set state = ${state}, outcome = ${JSON.stringify(outcome)}::jsonb, closed_at = ${ctx.clock.iso()}
    where id = ${id} and state = 'pending' returning id
  `.execute(ctx.db)
  return rows.length > 0
}
