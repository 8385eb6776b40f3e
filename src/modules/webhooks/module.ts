import { defineModule } from '#platform/module.ts'
import { errors } from './contract.ts'
import { createWebhook } from './create-webhook.ts'
import { deleteWebhook } from './delete-webhook.ts'
import { getDelivery } from './get-delivery.ts'
import { getWebhook } from './get-webhook.ts'
import { sendDeliveries } from './jobs.ts'
import { listDeliveries } from './list-deliveries.ts'
import { listWebhooks } from './list-webhooks.ts'
import { createWebhooks } from './migrations/0001-create-webhooks.ts'
import { planDeliveries } from './plan-deliveries.ts'
import { queueDeliveries } from './queue-deliveries.ts'
import { recordAttempt } from './record-attempt.ts'
import { redeliver } from './redeliver.ts'
import { queueOnEntries } from './subscribers.ts'
import { testWebhook } from './test-webhook.ts'
import { updateWebhook } from './update-webhook.ts'

export const webhooks = defineModule({
  name: 'webhooks',
  handlers: [
    createWebhook,
    listWebhooks,
    getWebhook,
    updateWebhook,
    deleteWebhook,
    testWebhook,
    listDeliveries,
    getDelivery,
    redeliver,
    queueDeliveries,
    recordAttempt,
    planDeliveries,
  ],
  errors,
  migrations: { '0001-create-webhooks': createWebhooks },
  jobs: [sendDeliveries],
  subscribers: [queueOnEntries],
})
