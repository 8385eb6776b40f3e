import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { bodyOf, exampleOf } from './events-of-entry.ts'
import { deliveryOf, insertDelivery, requireDelivery, requireWebhook } from './tables.ts'

/** It takes the way that every delivery takes, so that what it shows is what will happen. */
export const testWebhook = handle(contract.testWebhook, async (ctx, { webhook, event: wanted }) => {
  const { events } = await requireWebhook(ctx.db, webhook, true)
  const event = wanted ?? events[0] ?? ''
  const id = ctx.ids.next()
  const now = ctx.clock.iso()
  const body = bodyOf(exampleOf(event, { id, at: now, workspace: ctx.workspace, actor: ctx.actor }), now)
  await insertDelivery(ctx.db, ctx.workspace, { id, webhook, event, entry: null, part: 0, body, at: now })
  ctx.entry.subject('webhook', webhook)
  ctx.entry.facts({ delivery: id, event })
  await ctx.callAsSystem(contract.planDeliveries, { webhook })
  return deliveryOf(await requireDelivery(ctx.db, id))
})
