import { sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import * as contract from './contract.ts'
import { planNext } from './plan-next.ts'
import { delayMs, isAway, isSuccess, mostTries, oldestMs } from './retry.ts'
import { findDelivery, requireWebhook } from './tables.ts'

/** What came of an attempt, and what follows from it for the delivery, for the webhook and for what waits behind. */
export const recordAttempt = handle(contract.recordAttempt, async (ctx, attempt) => {
  const { delivery: id, job, status, answer, error, milliseconds } = attempt
  const delivery = await findDelivery(ctx.db, id)
  // Deleted with its webhook, while it was sent.
  if (delivery === undefined) return { next: null }
  const webhook = await requireWebhook(ctx.db, delivery.webhook, true)
  const test = delivery.entry === null
  const success = isSuccess(status)
  const tries = delivery.tries + 1
  const state = success ? 'delivered' : test || tries >= mostTries ? 'dead' : 'queued'
  const now = ctx.clock.now()
  const away = isAway(status)
  const later = (failures: number) => new Date(now + delayMs(failures, chance(ctx))).toISOString()
  // While the receiver is away it is the webhook that waits, and this delivery stays the first.
  const nextAt = away ? ctx.clock.iso() : later(tries)
  await sql`
    update webhooks.delivery
    set state = ${state}, tries = ${tries}, tried_at = ${ctx.clock.iso()}, next_at = ${nextAt}, status = ${status},
        answer = ${answer}, error = ${error}, milliseconds = ${milliseconds}
    where id = ${id}
  `.execute(ctx.db)
  ctx.entry.subject('webhook', webhook.id)
  ctx.entry.facts({ delivery: id, event: delivery.event, entry: delivery.entry, state, tries, status })
  const held = away ? later(webhook.failures + 1) : null
  if (success) {
    await sql`
      update webhooks.webhook
      set failures = 0, failing_since = null, held_until = null, last_success_at = ${ctx.clock.iso()}
      where id = ${webhook.id}
    `.execute(ctx.db)
  } else if (!test) {
    await sql`
      update webhooks.webhook
      set failures = failures + 1, failing_since = coalesce(failing_since, ${ctx.clock.iso()}), held_until = ${held}
      where id = ${webhook.id}
    `.execute(ctx.db)
    await giveUpOld(ctx, webhook.id, now)
  }
  return { next: await planNext(ctx, await requireWebhook(ctx.db, webhook.id, true), job) }
})

async function giveUpOld(ctx: OperationContext, webhook: string, now: number): Promise<void> {
  await sql`
    update webhooks.delivery set state = 'dead', error = coalesce(error, 'It waited for three days')
    where webhook = ${webhook} and state = 'queued' and created_at < ${new Date(now - oldestMs).toISOString()}
  `.execute(ctx.db)
}

/** From 0 to 1. */
const chance = (ctx: OperationContext) => Buffer.from(ctx.ids.secret(4), 'base64url').readUInt32BE() / 2 ** 32
