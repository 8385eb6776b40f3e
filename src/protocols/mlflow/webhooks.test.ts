import { afterAll, beforeAll, expect, it } from 'vitest'
import { createToken } from '#modules/identity/contract.ts'
import { identity } from '#modules/identity/module.ts'
import { registry } from '#modules/registry/module.ts'
import { traces } from '#modules/traces/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { createWebhook, getWebhook } from '#modules/webhooks/contract.ts'
import { webhooks } from '#modules/webhooks/module.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { mlflow } from './module.ts'

let pave: TestPlatform
let token: string

beforeAll(async () => {
  pave = await createTestPlatform({ modules: [identity, tracking, traces, registry, webhooks, mlflow] })
  await pave.as('olga', 'operator')
  token = (await pave.run(createToken, { principal: 'olga', name: 'notebook' })).token
})
afterAll(() => pave.drop())

async function call(method: 'GET' | 'POST' | 'PATCH', path: string, body?: object, bearer = token) {
  const answer = await pave.controlPlane.http.inject({
    method,
    url: path,
    headers: { authorization: `Bearer ${bearer}` },
    ...(body && { payload: body }),
  })
  return { status: answer.statusCode, body: answer.json() }
}

const url = 'http://127.0.0.1:9/hook'
const created = { entity: 'MODEL_VERSION', action: 'CREATED' }

it('answers on both prefixes in the words of MLflow, and never with the secret', async () => {
  const given = { name: 'bot', url, events: [created, created], secret: 'hush' }
  const { status, body } = await call('POST', '/ajax-api/2.0/mlflow/webhooks', given)
  expect(status).toBe(200)
  expect(body).toEqual({
    webhook: {
      webhook_id: expect.any(String),
      name: 'bot',
      url,
      events: [created],
      status: 'ACTIVE',
      creation_timestamp: expect.any(Number),
      last_updated_timestamp: expect.any(Number),
    },
  })
  expect((await call('GET', `/api/2.0/mlflow/webhooks/${body.webhook.webhook_id}`)).body).toEqual(body)
})

it('shows and changes only what the client knows of a webhook', async () => {
  const made = { name: 'both', url, events: ['operation.put-model', 'model_version.created'] }
  const { webhook } = await pave.run(createWebhook, made)
  const { webhook: foreign } = await pave.run(createWebhook, { ...made, events: ['operation.put-model'] })
  const { body } = await call('GET', '/api/2.0/mlflow/webhooks?max_results=100')
  const seen: { webhook_id: string; events: object[] }[] = body.webhooks
  expect(seen.find(({ webhook_id }) => webhook_id === webhook)?.events).toEqual([created])
  expect(seen.map(({ webhook_id }) => webhook_id)).not.toContain(foreign)
  expect((await call('GET', `/api/2.0/mlflow/webhooks/${foreign}`)).body.error_code).toBe('RESOURCE_DOES_NOT_EXIST')

  const events = [{ entity: 'PROMPT', action: 'CREATED' }]
  await call('PATCH', `/api/2.0/mlflow/webhooks/${webhook}`, { events, secret: 'hush' })
  expect(await pave.run(getWebhook, { webhook })).toMatchObject({
    events: ['prompt.created', 'operation.put-model'],
    signed: true,
  })
  await call('PATCH', `/api/2.0/mlflow/webhooks/${webhook}`, { secret: '', status: 'DISABLED' })
  expect(await pave.run(getWebhook, { webhook })).toMatchObject({ signed: false, state: 'disabled', name: 'both' })
})

it.each([
  [{ url: 'http://169.254.169.254/' }, 'not a public address'],
  [{ url: 'http://no-such-name.invalid/' }, 'cannot be reached'],
  [{ events: [{ entity: 'BUDGET_POLICY', action: 'EXCEEDED' }] }, 'Pave has no event'],
  [{ events: [{ entity: 'MODEL_VERSION' }] }, 'action'],
  [{ name: 'x'.repeat(64) }, 'name'],
  [{ name: 'x'.repeat(10_000_000) }, 'name'],
  [{ url: `http://127.0.0.1/${'x'.repeat(5_000)}` }, 'url'],
])('refuses what is wrong at once, with a code that no client tries again (%#)', async (wrong, said) => {
  const { status, body } = await call('POST', '/api/2.0/mlflow/webhooks', {
    name: 'x',
    url,
    events: [created],
    ...wrong,
  })
  expect([status, body.error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE'])
  expect(body.message).toContain(said)
  expect(body.message.length).toBeLessThan(2_000)
})

it('is closed to those without the right', async () => {
  await pave.as('carl', 'contributor')
  const { token: carls } = await pave.run(createToken, { principal: 'carl', name: 'notebook' })
  expect((await call('GET', '/api/2.0/mlflow/webhooks', undefined, carls)).status).toBe(403)
  expect((await call('POST', '/api/2.0/mlflow/webhooks', { name: 'x', url, events: [created] }, 'no')).status).toBe(401)
})
