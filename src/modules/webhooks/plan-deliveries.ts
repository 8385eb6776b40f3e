import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { planNext } from './plan-next.ts'
import { requireWebhook } from './tables.ts'

/** Unless a job asks, somebody wants to see something happen: a pause ends. */
export const planDeliveries = handle(contract.planDeliveries, async (ctx, { webhook: id, job }) => {
  const webhook = await requireWebhook(ctx.db, id, true)
  if (job === undefined) await sql`update webhooks.webhook set held_until = null where id = ${id}`.execute(ctx.db)
  const next = await planNext(ctx, job === undefined ? { ...webhook, held_until: null } : webhook, job)
  ctx.entry.subject('webhook', id)
  return { next }
})
