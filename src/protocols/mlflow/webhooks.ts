import { z } from 'zod'
import {
  createWebhook,
  deleteWebhook,
  getDelivery,
  getWebhook,
  listWebhooks,
  RegistryEvent,
  testWebhook,
  updateWebhook,
  type Webhook,
} from '#modules/webhooks/contract.ts'
import { type Call, cursorOf, endpoint, Integer, nextPage, pageSize } from './endpoint.ts'
import { invalid, notFound } from './errors.ts'

const Event = z.object({ entity: z.string(), action: z.string() })
const Status = z.enum(['ACTIVE', 'DISABLED'])
const ById = z.object({ webhook_id: z.string() })

/** Longer than Pave lets a receiver answer. */
const testWithinSeconds = 20

/** Those that follow nothing of the registry are not for this client, which knows no other events. */
export const webhooks = [
  endpoint(
    'POST',
    'webhooks',
    z.object({
      name: z.string(),
      description: z.string().default(''),
      url: z.string(),
      events: z.array(Event),
      secret: z.string().optional(),
      status: Status.default('ACTIVE'),
    }),
    async (call, { name, description, url, events, secret, status }) => {
      const made = { name, description, url, events: events.map(eventName), state: stateOf(status) }
      return { webhook: wire(await call.run(createWebhook, { ...made, secret: secret || undefined })) }
    },
  ),
  endpoint(
    'GET',
    'webhooks',
    z.object({ max_results: Integer.optional(), page_token: z.string().optional() }),
    async (call, { max_results, page_token }) => {
      const page = { limit: pageSize(max_results, 100, 200), ...cursorOf(page_token) }
      const { items, nextCursor } = await call.run(listWebhooks, page)
      const known = items.filter(({ events }) => events.some(isOfRegistry))
      return { ...(known.length > 0 && { webhooks: known.map(wire) }), ...nextPage(nextCursor) }
    },
  ),
  endpoint('GET', 'webhooks/:webhook_id', ById, async (call, { webhook_id }) => ({
    webhook: wire(await find(call, webhook_id)),
  })),
  endpoint(
    'PATCH',
    'webhooks/:webhook_id',
    ById.extend({
      name: z.string().optional(),
      description: z.string().optional(),
      url: z.string().optional(),
      events: z.array(Event).default([]),
      secret: z.string().optional(),
      status: Status.optional(),
    }),
    async (call, { webhook_id, name, description, url, events, secret, status }) => {
      const before = await find(call, webhook_id)
      const others = before.events.filter((event) => !isOfRegistry(event))
      const changed = await call.run(updateWebhook, {
        webhook: before.webhook,
        name: name || undefined,
        description,
        url: url || undefined,
        events: events.length === 0 ? undefined : [...events.map(eventName), ...others],
        secret: secret === '' ? null : secret,
        state: status && stateOf(status),
      })
      return { webhook: wire(changed) }
    },
  ),
  endpoint('DELETE', 'webhooks/:webhook_id', ById, async (call, { webhook_id }) => {
    await call.run(deleteWebhook, { webhook: (await find(call, webhook_id)).webhook })
    return {}
  }),
  endpoint('POST', 'webhooks/:webhook_id/test', ById.extend({ event: Event.optional() }), test),
]

async function test(
  call: Call,
  { webhook_id, event }: { webhook_id: string; event?: z.output<typeof Event> | undefined },
) {
  const { webhook, events } = await find(call, webhook_id)
  const sent = await call.run(testWebhook, { webhook, event: event ? eventName(event) : events.find(isOfRegistry) })
  const { state, status, answer, error } = await call.run(getDelivery, {
    delivery: sent.delivery,
    wait: testWithinSeconds,
  })
  const slow = state === 'queued' ? 'The test waits to be sent; its delivery tells later what came of it' : null
  const reason = error ?? slow
  return {
    result: {
      success: state === 'delivered',
      ...(status !== null && { response_status: status }),
      ...(answer && { response_body: answer }),
      ...(status === null && reason !== null && { error_message: reason }),
    },
  }
}

async function find(call: Call, id: string): Promise<Webhook> {
  const missing = notFound(`Webhook with ID ${id.slice(0, 100)} not found.`)
  if (!z.uuid().safeParse(id).success) throw missing
  const webhook = await call.run(getWebhook, { webhook: id })
  if (!webhook.events.some(isOfRegistry)) throw missing
  return webhook
}

const isOfRegistry = (event: string) => RegistryEvent.safeParse(event).success

function eventName({ entity, action }: z.output<typeof Event>): string {
  const event = `${entity}.${action}`.toLowerCase()
  if (!isOfRegistry(event)) {
    throw invalid(`Pave has no event ${event.slice(0, 200)}. It has ${RegistryEvent.options.join(', ')}.`)
  }
  return event
}

function wire({ webhook, name, description, url, events, state, createdAt, changedAt }: Webhook) {
  return {
    webhook_id: webhook,
    name,
    ...(description !== '' && { description }),
    url,
    events: events.filter(isOfRegistry).map((event) => {
      const [entity = '', action = ''] = event.toUpperCase().split('.')
      return { entity, action }
    }),
    status: state === 'active' ? 'ACTIVE' : 'DISABLED',
    creation_timestamp: Date.parse(createdAt),
    last_updated_timestamp: Date.parse(changedAt),
  }
}

const stateOf = (status: z.output<typeof Status>): Webhook['state'] => (status === 'ACTIVE' ? 'active' : 'disabled')
