import { sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import type { Entry } from '#platform/ledger/entry.ts'
import * as contract from './contract.ts'
import { bodyOf, eventsOf } from './events-of-entry.ts'
import { planNext } from './plan-next.ts'
import { insertDelivery, requireWebhook } from './tables.ts'

const keptMs = 14 * 86_400_000

/** Deliveries and the job that sends them are there together or not at all, and once for each entry. */
export const queueDeliveries = handle(contract.queueDeliveries, async (ctx, { entry: id }) => {
  const { rows } = await sql<{ body: string }>`select body from ledger.entry where id = ${id}`.execute(ctx.db)
  const entry: Entry | undefined = rows[0] && JSON.parse(rows[0].body)
  if (entry === undefined) return { queued: 0 }
  const events = await eventsOf(ctx.db, entry)
  const now = ctx.clock.iso()
  let queued = 0
  for (const { webhook, wants } of await followersOf(ctx, entry, events)) {
    for (const [part, one] of events.entries()) {
      if (!wants.includes(one.event)) continue
      const delivery = {
        id: ctx.ids.next(),
        webhook,
        event: one.event,
        entry: id,
        part,
        body: bodyOf(one, entry.at),
        at: now,
      }
      if (await insertDelivery(ctx.db, ctx.workspace, delivery)) queued += 1
    }
    await forgetOld(ctx, webhook)
    await planNext(ctx, await requireWebhook(ctx.db, webhook, true), undefined)
    ctx.entry.subject('webhook', webhook)
  }
  ctx.entry.facts({ entry: id, queued })
  return { queued }
})

/** In the order of their ids, so that two entries at once lock them alike. */
async function followersOf(ctx: OperationContext, entry: Entry, events: readonly { event: string }[]) {
  const { rows } = await sql<{ webhook: string; since: Record<string, string> }>`
    select id as webhook, since from webhooks.webhook
    where state = 'active' and events && ${events.map(({ event }) => event)}::text[] order by id
  `.execute(ctx.db)
  const at = Date.parse(entry.at)
  return rows.map(({ webhook, since }) => ({
    webhook,
    wants: Object.keys(since).filter((event) => Date.parse(since[event] ?? '') <= at),
  }))
}

async function forgetOld(ctx: OperationContext, webhook: string): Promise<void> {
  const before = new Date(ctx.clock.now() - keptMs).toISOString()
  await sql`
    delete from webhooks.delivery where webhook = ${webhook} and state <> 'queued' and created_at < ${before}
  `.execute(ctx.db)
}
