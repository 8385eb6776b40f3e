import { z } from 'zod'
import { allows, systemActor } from '../actor.ts'
import { handle, type OperationContext } from '../context.ts'
import { PaveError, platformFailure } from '../errors.ts'
import { defineJob } from '../job.ts'
import { decodeCursor, pageFrom } from '../names.ts'
import {
  closePendingOperation as close,
  type Decision,
  decidePendingOperation,
  isExcluded,
  type PendingOperation,
  readPendingOperations,
} from '../pending-operation.ts'
import { withoutSecrets } from '../run-operation.ts'
import * as contract from './contract.ts'

export const listPendingOperations = handle(contract.listPendingOperations, async (ctx, input) => {
  const { limit, cursor, state, newestFirst } = input
  const [at, id] = decodeCursor(cursor, 2) ?? []
  const after = at === undefined || id === undefined ? undefined : { at: String(at), id: String(id) }
  const filter = { newestFirst, ...(state !== 'all' && { state }), ...(after !== undefined && { after }) }
  const found = await readPendingOperations(ctx.db, { ...filter, limit: limit + 1 })
  return pageFrom(
    found,
    limit,
    (one) => describe(ctx, one),
    (one) => [one.requestedAt, one.id],
  )
})

export const getPendingOperation = handle(contract.getPendingOperation, async (ctx, { pending: id }) => {
  const [found] = await readPendingOperations(ctx.db, { id })
  if (found === undefined) throw platformFailure('pending_operation_not_found', `No operation waits as ${id}`)
  return describe(ctx, found)
})

function describe(ctx: OperationContext, { actor: _, ...pending }: PendingOperation): contract.PendingOperation {
  const why = whyNot(ctx, pending)
  return { ...pending, you: { mayDecide: why === undefined, why: why ?? '' } }
}

/** Undefined when the caller may decide. `decidePendingOperation` is what refuses; this tells it in advance. */
function whyNot({ actor, clock }: OperationContext, pending: Omit<PendingOperation, 'actor'>): string | undefined {
  if (pending.state !== 'pending') return `It is ${pending.state} already.`
  if (Date.parse(pending.expiresAt) < clock.now()) return 'It has expired.'
  if (isExcluded(actor, pending)) return 'You asked for this change or wrote what it is about: somebody else decides.'
  if (!allows(actor.grants, 'approval:decide', {})) return 'Deciding takes the role of an approver.'
  const mine = pending.approvals.find((one) => one.approver === actor.id)
  return mine === undefined ? undefined : 'You have approved it; it waits for somebody else.'
}

/** The decision is one transaction; running what was approved is a job's, so that its failure undoes no approval. */
async function decide(ctx: OperationContext, id: string, decision: Decision, comment: string) {
  const { pending, ready } = await decidePendingOperation(ctx, id, decision, comment)
  ctx.entry.subject('pending-operation', id)
  ctx.entry.facts({
    decision,
    operation: pending.operation,
    evidenceDigest: pending.evidenceDigest,
    quorumReached: ready,
  })
  const job = ready ? await ctx.startJob(runApprovedOperation.name, { pending: id }) : null
  return { pending: id, state: pending.state, job }
}

export const approve = handle(contract.approve, (ctx, { pending, comment }) => decide(ctx, pending, 'approve', comment))
export const reject = handle(contract.reject, (ctx, { pending, comment }) => decide(ctx, pending, 'reject', comment))

export const closePendingOperation = handle(
  contract.closePendingOperation,
  async (ctx, { pending, state, outcome }) => {
    if (ctx.actor.kind !== 'system') {
      throw platformFailure('permission_denied', 'Only Pave itself says how an approved operation ended')
    }
    const closed = await close(ctx, pending, state, outcome)
    ctx.entry.subject('pending-operation', pending)
    ctx.entry.facts({ state, closed })
    return { pending }
  },
)

/**
 * Runs a stored operation once, as its requester and with what the requester may do now: a retry finds the first answer
 * under the same key.
 */
export const runApprovedOperation = defineJob({
  name: 'run-approved-operation',
  input: z.object({ pending: z.uuid() }),
  retries: 3,
  timeoutMs: 120_000,
  async run(ctx, { pending: id }) {
    const [pending] = await ctx.read((db) => readPendingOperations(db, { id }))
    if (pending === undefined || pending.state !== 'pending') return null
    const actor = systemActor(ctx.workspace)
    const operation = ctx.platform.operations.get(pending.operation)
    if (operation === undefined) throw new Error(`The operation ${pending.operation} is gone`)
    try {
      const answer = await ctx.platform.run(operation, {
        actor: await ctx.platform.refreshed(pending.actor),
        input: pending.input,
        idempotencyKey: `pending:${id}`,
        approved: { pending: id, evidenceDigest: pending.evidenceDigest },
      })
      const output = withoutSecrets(operation, answer)
      const outcome = { output: JSON.parse(JSON.stringify(output ?? null)) }
      await ctx.platform.run(contract.closePendingOperation, { actor, input: { pending: id, state: 'done', outcome } })
      return output
    } catch (error) {
      if (!(error instanceof PaveError) || error.status >= 500) throw error
      const state = error.code === 'approval_lapsed' ? 'lapsed' : 'failed'
      const outcome = { code: error.code, message: error.message }
      await ctx.platform.run(contract.closePendingOperation, { actor, input: { pending: id, state, outcome } })
      throw error
    }
  },
})
