import { sql } from 'kysely'
import type { OperationContext } from '#platform/context.ts'
import type { Db } from '#platform/storage/database/database.ts'
import type { WebhookRow } from './tables.ts'

export const sendingJob = 'send-deliveries'

/**
 * What is to be sent next: to the job that asks, when it is due; else a job is started for its time, unless one is. The
 * webhook's row must be locked: whoever adds a delivery either is seen here or sees the job that was started.
 */
export async function planNext(
  ctx: OperationContext,
  webhook: WebhookRow,
  /** The job that asks. */
  job: string | undefined,
): Promise<string | null> {
  // Another took its place.
  if (job !== undefined && job !== webhook.job) return null
  const now = ctx.clock.now()
  const next = await nextDelivery(ctx.db, webhook, ctx.clock.iso())
  if (next === undefined) {
    await setJob(ctx, webhook.id, null, null)
    return null
  }
  const held = webhook.held_until === null || next.test ? 0 : Date.parse(webhook.held_until)
  const at = Math.max(now, Date.parse(next.next_at), held)
  if (job !== undefined && at <= now) {
    await setJob(ctx, webhook.id, job, at)
    return next.id
  }
  const planned = webhook.job === job || webhook.job_at === null ? Infinity : Date.parse(webhook.job_at)
  if (planned > at || !(await isAlive(ctx.db, webhook.job))) {
    const started = await ctx.startJob(sendingJob, { webhook: webhook.id }, { afterMs: at - now })
    await setJob(ctx, webhook.id, started, at)
  }
  return null
}

/** The first that is due in the order of the ledger, a test before the others; when none is, the one that will be next. */
export async function nextDelivery(db: Db, { id, state }: Pick<WebhookRow, 'id' | 'state'>, now: string) {
  const { rows } = await sql<{ id: string; next_at: string; test: boolean }>`
    select id, next_at, entry is null as test from webhooks.delivery
    where webhook = ${id} and state = 'queued' and (entry is null or ${state} = 'active')
    order by next_at > ${now}, entry is not null, case when next_at > ${now} then next_at end, number limit 1
  `.execute(db)
  return rows[0]
}

async function setJob(ctx: OperationContext, webhook: string, job: string | null, at: number | null): Promise<void> {
  await sql`
    update webhooks.webhook set job = ${job}, job_at = ${at === null ? null : new Date(at).toISOString()}
    where id = ${webhook}
  `.execute(ctx.db)
}

/** Somebody may have cancelled it, or it ran out of attempts while something else was broken. */
async function isAlive(db: Db, job: string | null): Promise<boolean> {
  const { rows } = await sql`
    select from platform.job where id = ${job} and state in ('queued', 'running') and not cancel_requested
  `.execute(db)
  return rows.length > 0
}
