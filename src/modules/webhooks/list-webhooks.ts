import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type WebhookRow, webhookColumns, webhookOf } from './tables.ts'

export const listWebhooks = handle(contract.listWebhooks, async (ctx, { limit, cursor, failing }) => {
  const [before] = decodeCursor(cursor, 1) ?? ['ffffffff-ffff-ffff-ffff-ffffffffffff']
  const { rows } = await sql<WebhookRow>`
    select ${webhookColumns} from webhooks.webhook
    where webhook.id < ${before}
      and (${failing ?? null}::boolean is null or (webhook.failing_since is not null) = ${failing ?? null})
    order by webhook.id desc limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, webhookOf, (row) => [row.id])
})
