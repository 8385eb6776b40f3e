import { sql } from 'kysely'
import { failure } from '#platform/errors.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { type Delivery, errors, type Webhook } from './contract.ts'

export const webhooksFailure = failure(errors)

export interface WebhookRow {
  id: string
  name: string
  description: string
  url: string
  events: string[]
  since: Record<string, string>
  state: Webhook['state']
  secret: string | null
  failures: number
  failing_since: string | null
  last_success_at: string | null
  /** A receiver that is away is left alone until then. */
  held_until: string | null
  job: string | null
  job_at: string | null
  created_at: string
  changed_at: string
  queued: number
  dead: number
}

/** Of `webhooks.webhook`, which must not have another name in the query. */
export const webhookColumns = sql`
  webhook.id, webhook.name, webhook.description, webhook.url, webhook.events, webhook.since, webhook.state, webhook.secret,
  webhook.failures, webhook.failing_since, webhook.last_success_at,
  webhook.held_until, webhook.job, webhook.job_at,
  webhook.created_at, webhook.changed_at,
  (select count(*)::int from webhooks.delivery d
   where d.workspace = webhook.workspace and d.webhook = webhook.id and d.state = 'queued') as queued,
  (select count(*)::int from webhooks.delivery d
   where d.workspace = webhook.workspace and d.webhook = webhook.id and d.state = 'dead') as dead
`

export function webhookOf(row: WebhookRow): Webhook {
  return {
    webhook: row.id,
    name: row.name,
    description: row.description,
    url: row.url,
    events: row.events,
    state: row.state,
    signed: row.secret !== null,
    failingSince: row.failing_since,
    failures: row.failures,
    lastSuccessAt: row.last_success_at,
    queued: row.queued,
    dead: row.dead,
    createdAt: row.created_at,
    changedAt: row.changed_at,
  }
}

export async function requireWebhook(db: Db, id: string, lock = false): Promise<WebhookRow> {
  const { rows } = await sql<WebhookRow>`
    select ${webhookColumns} from webhooks.webhook where webhook.id = ${id} ${lock ? sql`for update` : sql``}
  `.execute(db)
  const [row] = rows
  if (row === undefined) throw webhooksFailure('webhook_not_found', `There is no webhook ${id}`)
  return row
}

export interface DeliveryRow {
  id: string
  webhook: string
  number: number
  event: string
  entry: string | null
  body: string
  state: Delivery['state']
  tries: number
  created_at: string
  tried_at: string | null
  next_at: string
  status: number | null
  answer: string | null
  error: string | null
  milliseconds: number | null
}

export const deliveryColumns = sql.raw(`id, webhook, number, event, entry, body, state, tries, created_at, tried_at,
  next_at, status, answer, error, milliseconds`)

export function deliveryOf(row: DeliveryRow): Delivery {
  return {
    delivery: row.id,
    webhook: row.webhook,
    event: row.event,
    test: row.entry === null,
    entry: row.entry,
    state: row.state,
    tries: row.tries,
    createdAt: row.created_at,
    triedAt: row.tried_at,
    nextTryAt: row.state === 'queued' ? row.next_at : null,
    status: row.status,
    answer: row.answer,
    error: row.error,
    milliseconds: row.milliseconds,
  }
}

export async function findDelivery(db: Db, id: string): Promise<DeliveryRow | undefined> {
  const { rows } = await sql<DeliveryRow>`
    select ${deliveryColumns} from webhooks.delivery where id = ${id}
  `.execute(db)
  return rows[0]
}

export async function requireDelivery(db: Db, id: string): Promise<DeliveryRow> {
  const row = await findDelivery(db, id)
  if (row === undefined) throw webhooksFailure('delivery_not_found', `There is no delivery ${id}`)
  return row
}

export interface NewDelivery {
  id: string
  webhook: string
  event: string
  entry: string | null
  part: number
  body: string
  at: string
}

/** More than this waits for a receiver that is away for days; what comes then is stored as given up at once. */
const longestQueue = 10_000

/** Numbers it after what the webhook has; false when it is there already. The webhook's row is locked from here on. */
export async function insertDelivery(db: Db, workspace: string, one: NewDelivery): Promise<boolean> {
  const { rows } = await sql`
    with numbered as (
      update webhooks.webhook set last_number = last_number + 1 where id = ${one.webhook} returning last_number
    ), full_queue as (
      select from webhooks.delivery where webhook = ${one.webhook} and state = 'queued' offset ${longestQueue - 1} limit 1
    )
    insert into webhooks.delivery (workspace, id, webhook, number, event, entry, part, body, state, error, created_at, next_at)
    select ${workspace}::uuid, ${one.id}::uuid, ${one.webhook}::uuid, last_number, ${one.event}, ${one.entry}::uuid,
      ${one.part}::int, ${one.body},
      case when exists (table full_queue) then 'dead' else 'queued' end,
      case when exists (table full_queue) then ${`${longestQueue} deliveries were waiting already`} end,
      ${one.at}::timestamptz, ${one.at}::timestamptz
    from numbered
    on conflict (workspace, webhook, entry, part) do nothing returning id
  `.execute(db)
  return rows.length > 0
}
