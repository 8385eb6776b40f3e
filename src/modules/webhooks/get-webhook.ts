import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { requireWebhook, webhookOf } from './tables.ts'

export const getWebhook = handle(contract.getWebhook, async (ctx, { webhook }) =>
  webhookOf(await requireWebhook(ctx.db, webhook)),
)
