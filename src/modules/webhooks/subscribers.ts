import { sql } from 'kysely'
import type { Subscriber } from '#platform/module.ts'
import { createWebhook, queueDeliveries, updateWebhook } from './contract.ts'
import { operationsBehind } from './events-of-entry.ts'

/** Entries of other operations cost nothing: nobody follows them. Whoever begins to is heard of at once. */
export const queueOnEntries: Subscriber = {
  name: 'queue-deliveries-of-webhooks',
  async operations(platform) {
    const { rows } = await sql<{ event: string }>`
      select distinct unnest(events) as event from webhooks.webhook where state = 'active'
    `.execute(platform.system)
    return [createWebhook.name, updateWebhook.name, ...operationsBehind(rows.map(({ event }) => event))]
  },
  async handle(ctx, entry) {
    const { rows } = await ctx.platform.read(entry.workspace, (db) =>
      sql<{ event: string }>`
        select distinct unnest(events) as event from webhooks.webhook
        where state = 'active' and created_at <= ${entry.at}
      `.execute(db),
    )
    if (operationsBehind(rows.map(({ event }) => event)).includes(entry.operation)) {
      await ctx.run('queue', queueDeliveries, { entry: entry.id })
    }
  },
}
