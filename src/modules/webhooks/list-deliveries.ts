import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type DeliveryRow, deliveryColumns, deliveryOf, requireWebhook } from './tables.ts'

export const listDeliveries = handle(contract.listDeliveries, async (ctx, { webhook, limit, cursor, state }) => {
  await requireWebhook(ctx.db, webhook)
  const [before] = decodeCursor(cursor, 1) ?? [Number.MAX_SAFE_INTEGER]
  const { rows } = await sql<DeliveryRow>`
    select ${deliveryColumns} from webhooks.delivery
    where webhook = ${webhook} and number < ${before} and (${state ?? null}::text is null or state = ${state ?? null})
    order by number desc limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, deliveryOf, (row) => [row.number])
})
