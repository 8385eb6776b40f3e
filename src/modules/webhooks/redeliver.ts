import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { deliveryOf, requireDelivery } from './tables.ts'

export const redeliver = handle(contract.redeliver, async (ctx, { delivery }) => {
  const { webhook, event, state } = await requireDelivery(ctx.db, delivery)
  const now = ctx.clock.iso()
  await sql`
    update webhooks.delivery set state = 'queued', tries = 0, created_at = ${now}, next_at = ${now} where id = ${delivery}
  `.execute(ctx.db)
  ctx.entry.subject('webhook', webhook)
  ctx.entry.facts({ delivery, event, state })
  await ctx.callAsSystem(contract.planDeliveries, { webhook })
  return deliveryOf(await requireDelivery(ctx.db, delivery))
})
