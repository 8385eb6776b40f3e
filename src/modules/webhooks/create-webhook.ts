import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { checkTarget } from './check-target.ts'
import * as contract from './contract.ts'
import { newNonce, sealSecret } from './seal-secret.ts'
import { requireWebhook, webhookOf, webhooksFailure } from './tables.ts'

const mostWebhooks = 100

/** The URL may hold a token, as those of chat services do, so that the ledger has its host only. */
export const createWebhook = handle(
  contract.createWebhook,
  async (ctx, { name, description, url, events, secret, state }) => {
    const { rows } = await sql<{ count: number }>`select count(*)::int as count from webhooks.webhook`.execute(ctx.db)
    if ((rows[0]?.count ?? 0) >= mostWebhooks) {
      throw webhooksFailure('webhook_too_many', `The workspace has ${mostWebhooks} webhooks`)
    }
    const webhook = ctx.ids.next()
    const { workspace } = ctx
    const place = { dataDir: ctx.services.config.dataDir, workspace, webhook }
    const sealed = secret === undefined ? null : await sealSecret(secret, place, newNonce(ctx.ids))
    const now = ctx.clock.iso()
    const since = Object.fromEntries(events.map((event) => [event, now]))
    await sql`
      insert into webhooks.webhook (workspace, id, name, description, url, events, since, state, secret, created_at, changed_at)
      values (${workspace}, ${webhook}, ${name}, ${description}, ${url}, ${events}, ${JSON.stringify(since)}::jsonb, ${state},
              ${sealed}, ${now}, ${now})
    `.execute(ctx.db)
    ctx.entry.subject('webhook', webhook)
    ctx.entry.facts({ name, host: new URL(url).host, events, state, signed: sealed !== null })
    return webhookOf(await requireWebhook(ctx.db, webhook))
  },
  { wait: (platform, _actor, input) => checkTarget(platform, input) },
)
