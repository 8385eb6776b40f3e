import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { requireWebhook } from './tables.ts'

export const deleteWebhook = handle(contract.deleteWebhook, async (ctx, { webhook }) => {
  const { name, queued } = await requireWebhook(ctx.db, webhook, true)
  await sql`delete from webhooks.webhook where id = ${webhook}`.execute(ctx.db)
  ctx.entry.subject('webhook', webhook)
  ctx.entry.facts({ name, queued })
  return { removed: true }
})
