import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { checkTarget } from './check-target.ts'
import * as contract from './contract.ts'
import { newNonce, sealSecret } from './seal-secret.ts'
import { requireWebhook, webhookOf } from './tables.ts'

/** Whoever mended a URL wants to see what waits go out, not the end of a pause. */
export const updateWebhook = handle(
  contract.updateWebhook,
  async (ctx, { webhook, secret, ...given }) => {
    const before = await requireWebhook(ctx.db, webhook, true)
    const name = given.name ?? before.name
    const description = given.description ?? before.description
    const url = given.url ?? before.url
    const events = given.events ?? before.events
    const state = given.state ?? before.state
    const now = ctx.clock.iso()
    const known = before.state === 'active' ? before.since : {}
    const since = Object.fromEntries(events.map((event) => [event, known[event] ?? now]))
    const place = { dataDir: ctx.services.config.dataDir, workspace: ctx.workspace, webhook }
    const sealed = typeof secret === 'string' ? await sealSecret(secret, place, newNonce(ctx.ids)) : secret
    const kept = sealed === undefined ? before.secret : sealed
    await sql`
      update webhooks.webhook set name = ${name}, description = ${description}, url = ${url}, events = ${events},
        since = ${JSON.stringify(since)}::jsonb, state = ${state}, secret = ${kept}, changed_at = ${now}
      where id = ${webhook}
    `.execute(ctx.db)
    ctx.entry.subject('webhook', webhook)
    ctx.entry.facts({
      name,
      host: new URL(url).host,
      events,
      state,
      signed: kept !== null,
      secretChanged: secret !== undefined,
    })
    if (before.queued > 0) await ctx.callAsSystem(contract.planDeliveries, { webhook })
    return webhookOf(await requireWebhook(ctx.db, webhook))
  },
  { wait: (platform, _actor, input) => checkTarget(platform, input) },
)
