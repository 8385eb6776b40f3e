import { z } from 'zod'
import { defineErrors } from '#platform/errors.ts'
import { Instant, listInput, pageOf } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

/** What happens in the registry, in MLflow's words and with MLflow's payloads. */
export const registryEvents = [
  'registered_model.created',
  'model_version.created',
  'model_version_tag.set',
  'model_version_tag.deleted',
  'model_version_alias.created',
  'model_version_alias.deleted',
  'prompt.created',
  'prompt_version.created',
  'prompt_tag.set',
  'prompt_tag.deleted',
  'prompt_version_tag.set',
  'prompt_version_tag.deleted',
  'prompt_alias.created',
  'prompt_alias.deleted',
] as const
export const RegistryEvent = z.enum(registryEvents)
export type RegistryEvent = z.infer<typeof RegistryEvent>

const Event = z
  .string()
  .max(120)
  .refine(
    (event) => RegistryEvent.safeParse(event).success || /^operation\.[a-z]+(-[a-z0-9]+)*$/.test(event),
    'an event is one of the registry, like model_version.created, or an operation, like operation.start-release',
  )

const fields = {
  /** As MLflow allows it; several may have the same. */
  name: z
    .string()
    .max(63)
    .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/, 'a name has letters, digits and . _ -, like release-bot'),
  description: z.string().max(5000),
  url: z.string().min(1).max(2000).describe('Where events are posted to, by http or https; redirects are not followed'),
  events: z
    .array(Event)
    .min(1)
    .max(100)
    .transform((events) => [...new Set(events)])
    .describe('Such as model_version.created, or operation.start-release for what the ledger says of an operation'),
  secret: z.string().min(1).max(1000).describe('Key of the signature; it cannot be read again'),
  state: z.enum(['active', 'disabled']).describe('One that is disabled misses what happens meanwhile'),
}

export const Webhook = z.object({
  webhook: z.uuid(),
  name: z.string(),
  description: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  state: fields.state,
  /** Whether it has a secret to sign with. */
  signed: z.boolean(),
  /** Since its last success, null while all is well. */
  failingSince: Instant.nullable(),
  /** Attempts in a row that failed. */
  failures: z.int(),
  lastSuccessAt: Instant.nullable(),
  /** Deliveries that wait, and that were given up. */
  queued: z.int(),
  dead: z.int(),
  createdAt: Instant,
  changedAt: Instant,
})
export type Webhook = z.infer<typeof Webhook>

export const Delivery = z.object({
  /** The same for each attempt: what the receiver sees as `X-MLflow-Delivery-Id`. */
  delivery: z.uuid(),
  webhook: z.uuid(),
  event: z.string(),
  test: z.boolean(),
  /** Of the ledger; null for a test. */
  entry: z.uuid().nullable(),
  state: z.enum(['queued', 'delivered', 'dead']),
  tries: z.int(),
  createdAt: Instant,
  triedAt: Instant.nullable(),
  nextTryAt: Instant.nullable(),
  /** HTTP status of the last answer, and the beginning of its body; null when there was none. */
  status: z.int().nullable(),
  answer: z.string().nullable(),
  /** Why the last attempt failed. */
  error: z.string().nullable(),
  milliseconds: z.int().nullable(),
})
export type Delivery = z.infer<typeof Delivery>

const ById = z.object({ webhook: z.uuid() })

export const createWebhook = operation({
  name: 'create-webhook',
  method: 'POST',
  path: '/api/v1/webhooks',
  summary: 'Have events of the registry or operations of the ledger posted to a URL',
  effect: 'write',
  permission: { verb: 'webhook:create', on: [] },
  errors: [
    'webhook_event_unknown',
    'webhook_too_many',
    'egress_url_invalid',
    'egress_address_refused',
    'webhook_host_unknown',
  ],
  secretInputs: ['secret'],
  input: z.object({
    ...fields,
    description: fields.description.default(''),
    secret: fields.secret.optional(),
    state: fields.state.default('active'),
  }),
  output: Webhook,
})

export const listWebhooks = operation({
  name: 'list-webhooks',
  method: 'GET',
  path: '/api/v1/webhooks',
  summary: 'List webhooks, newest first, with how they fare',
  effect: 'read',
  permission: { verb: 'webhook:inspect', on: [] },
  errors: [],
  input: z.object({ ...listInput, failing: z.boolean().optional() }),
  output: pageOf(Webhook),
})

export const getWebhook = operation({
  name: 'get-webhook',
  method: 'GET',
  path: '/api/v1/webhooks/:webhook',
  summary: 'Read a webhook; its secret stays hidden',
  effect: 'read',
  permission: { verb: 'webhook:inspect', on: [] },
  errors: ['webhook_not_found'],
  input: ById,
  output: Webhook,
})

export const updateWebhook = operation({
  name: 'update-webhook',
  method: 'PATCH',
  path: '/api/v1/webhooks/:webhook',
  summary: 'Change a webhook: what is not given stays; a secret of null ends its signatures',
  effect: 'write',
  permission: { verb: 'webhook:update', on: [] },
  errors: [
    'webhook_not_found',
    'webhook_event_unknown',
    'egress_url_invalid',
    'egress_address_refused',
    'webhook_host_unknown',
  ],
  secretInputs: ['secret'],
  input: z.object({
    webhook: z.uuid(),
    name: fields.name.optional(),
    description: fields.description.optional(),
    url: fields.url.optional(),
    events: fields.events.optional(),
    secret: fields.secret.nullable().optional(),
    state: fields.state.optional(),
  }),
  output: Webhook,
})

export const deleteWebhook = operation({
  name: 'delete-webhook',
  method: 'DELETE',
  path: '/api/v1/webhooks/:webhook',
  summary: 'Take a webhook away, with its deliveries',
  effect: 'write',
  permission: { verb: 'webhook:delete', on: [] },
  errors: ['webhook_not_found'],
  input: ById,
  output: z.object({ removed: z.boolean() }),
})

export const testWebhook = operation({
  name: 'test-webhook',
  method: 'POST',
  path: '/api/v1/webhooks/:webhook/test',
  summary: 'Send an example of an event, once, before anything that waits; read the delivery for what came of it',
  effect: 'write',
  permission: { verb: 'webhook:test', on: [] },
  errors: ['webhook_not_found'],
  input: ById.extend({ event: Event.optional().describe('The first of the webhook by default') }),
  output: Delivery,
})

export const listDeliveries = operation({
  name: 'list-deliveries',
  method: 'GET',
  path: '/api/v1/webhooks/:webhook/deliveries',
  summary: 'List what was sent to a webhook or waits, newest first; kept for two weeks',
  effect: 'read',
  permission: { verb: 'webhook:inspect', on: [] },
  errors: ['webhook_not_found'],
  input: ById.extend({ ...listInput, state: Delivery.shape.state.optional() }),
  output: pageOf(Delivery),
})

export const getDelivery = operation({
  name: 'get-delivery',
  method: 'GET',
  path: '/api/v1/deliveries/:delivery',
  summary: 'Read a delivery with the body that is sent',
  effect: 'read',
  permission: { verb: 'webhook:inspect', on: [] },
  errors: ['delivery_not_found'],
  input: z.object({
    delivery: z.uuid(),
    wait: z.int().min(0).max(30).default(0).describe('Seconds to wait for its end'),
  }),
  output: Delivery.extend({ body: z.string() }),
})

export const redeliver = operation({
  name: 'redeliver',
  method: 'POST',
  path: '/api/v1/deliveries/:delivery/redeliver',
  summary: 'Send a delivery again that was given up or already made, with the same id and body',
  effect: 'write',
  permission: { verb: 'webhook:redeliver', on: [] },
  errors: ['delivery_not_found'],
  input: z.object({ delivery: z.uuid() }),
  output: Delivery,
})

export const queueDeliveries = operation({
  name: 'queue-deliveries',
  method: 'POST',
  path: '/api/v1/deliveries',
  summary: 'Store what an entry of the ledger has webhooks told; Pave itself does this',
  effect: 'write',
  permission: { verb: 'webhook:deliver', on: [] },
  errors: [],
  input: z.object({ entry: z.uuid() }),
  output: z.object({ queued: z.int() }),
})

export const recordAttempt = operation({
  name: 'record-attempt',
  method: 'POST',
  path: '/api/v1/deliveries/:delivery/attempts',
  summary: 'Store what came of an attempt, and say what to send next; Pave itself does this',
  effect: 'write',
  permission: { verb: 'webhook:deliver', on: [] },
  errors: [],
  input: z.object({
    delivery: z.uuid(),
    /** The job that sends. */
    job: z.uuid(),
    status: z.int().nullable(),
    answer: z.string().max(5000).nullable(),
    error: z.string().max(2000).nullable(),
    milliseconds: z.int().min(0),
  }),
  output: z.object({ next: z.uuid().nullable() }),
})

export const planDeliveries = operation({
  name: 'plan-deliveries',
  method: 'POST',
  path: '/api/v1/webhooks/:webhook/plan',
  summary: 'See to it that a job sends what waits for a webhook; Pave itself does this',
  effect: 'write',
  permission: { verb: 'webhook:deliver', on: [] },
  errors: [],
  input: ById.extend({ job: z.uuid().optional().describe('The job that asks, when it is one that sends') }),
  output: z.object({ next: z.uuid().nullable() }),
})

export const errors = defineErrors({
  webhook_not_found: {
    status: 404,
    summary: 'No webhook has this id.',
    hint: 'List webhooks with `pave list-webhooks`.',
  },
  webhook_event_unknown: {
    status: 422,
    summary: 'Pave has no such operation, or none that webhooks may follow.',
    hint: 'Write operation. and the name of an operation that changes something, as `pave --help` lists them.',
  },
  webhook_host_unknown: {
    status: 422,
    summary: 'The host name in the URL leads nowhere.',
    hint: 'Check how it is written, and that this machine can resolve it.',
  },
  webhook_too_many: {
    status: 409,
    summary: 'The workspace has as many webhooks as it may have.',
    hint: 'Delete those that nobody needs; one webhook may follow up to 100 events.',
  },
  webhook_secret_unreadable: {
    status: 500,
    summary: 'The secret of a webhook was sealed with a key that this Pave does not have.',
    hint: 'Set the secret again with `pave update-webhook`, or restore the keys that the database belongs to.',
  },
  delivery_not_found: {
    status: 404,
    summary: 'No delivery has this id; they are kept for two weeks.',
    hint: 'List deliveries with `pave list-deliveries`.',
  },
})
