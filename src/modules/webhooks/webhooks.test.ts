import { once } from 'node:events'
import { createServer } from 'node:http'
import type { LookupFunction } from 'node:net'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { identity } from '#modules/identity/module.ts'
import {
  deleteAlias,
  listAliasMoves,
  type ModelSpec,
  putModel,
  registerVersion,
  setAlias,
  undoAliasMove,
  updateVersion,
} from '#modules/registry/contract.ts'
import { registry } from '#modules/registry/module.ts'
import { traces } from '#modules/traces/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { systemActor } from '#platform/actor.ts'
import { createEgress } from '#platform/egress.ts'
import { cancelJob, listEntries, listJobs } from '#platform/kernel/contract.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { until } from '#testing/until.ts'
import {
  createWebhook,
  type Delivery,
  deleteWebhook,
  getDelivery,
  getWebhook,
  listDeliveries,
  listWebhooks,
  redeliver,
  testWebhook,
  updateWebhook,
} from './contract.ts'
import { webhooks } from './module.ts'
import { type Receiver, signatureOf, startReceiver } from './receiver.fixture.ts'

const secret = 'a secret that only two know'

let test: TestPlatform
let receiver: Receiver
let models = 0

beforeAll(async () => {
  test = await createTestPlatform({ modules: [identity, tracking, traces, registry, webhooks] })
  receiver = await startReceiver()
})
afterAll(async () => {
  await receiver.close()
  await test.drop()
})
/** Each test has the receiver, and the workspace's webhooks, for itself. */
afterEach(async () => {
  for (const { webhook } of (await test.run(listWebhooks, {})).items) await test.run(deleteWebhook, { webhook })
  receiver.answer((_, response) => response.end('thanks'))
  receiver.received.length = 0
})

const make = (given: { events: string[]; url?: string; secret?: string; state?: 'active' | 'disabled' }) =>
  test.run(createWebhook, { name: 'bot', url: receiver.url, ...given })

async function putModels(count: number): Promise<string[]> {
  const names = Array.from({ length: count }, () => `model-${++models}`)
  for (const model of names) await test.run(putModel, { model, spec: { owner: 'ada', tier: 3, task: 'other' } })
  return names
}

const deliveriesOf = async (webhook: string) => (await test.run(listDeliveries, { webhook, limit: 200 })).items

const ended = (webhook: string, count: number): Promise<Delivery[]> =>
  until(test, async () => {
    const all = await deliveriesOf(webhook)
    return all.length >= count && all.every(({ state }) => state !== 'queued') ? all : undefined
  })

/** Somebody waited as long as the pauses are. */
async function passTime(webhook: string): Promise<void> {
  await test.platform.transaction(test.workspace, async (db) => {
    await sql`update webhooks.delivery set next_at = now() where webhook = ${webhook}`.execute(db)
  })
  await test.run(updateWebhook, { webhook })
}

describe('what is told', () => {
  it('is what happens in the registry, in the words of MLflow and in its order', async () => {
    const events = ['registered_model.created', 'model_version.created', 'model_version_tag.set']
    const { webhook } = await make({
      events: [...events, 'model_version_tag.deleted', 'model_version_alias.created', 'model_version_alias.deleted'],
    })
    const model = 'flight-delays'
    const spec: ModelSpec = {
      owner: 'ada',
      tier: 3,
      task: 'other',
      description: 'Late or not',
      prediction: '',
      tags: { team: 'a' },
    }
    await test.run(putModel, { model, spec })
    await test.run(putModel, { model, spec: { ...spec, tags: { team: 'b' } } })
    const run = '01900000-0000-7000-8000-00000000000a'
    const version = { model, run, source: 'runs:/1/model', note: 'first', tags: { data: 'may' } }
    await test.run(registerVersion, version)
    await test.run(registerVersion, version)
    await test.run(updateVersion, { version: `${model}@1`, tags: { checked: 'yes' } })
    await test.run(updateVersion, { version: `${model}@1`, removeTags: ['checked', 'never-there'] })
    await test.run(setAlias, { model, alias: 'champion', version: 1 })
    await test.run(deleteAlias, { model, alias: 'champion' })
    const move = async () => (await test.run(listAliasMoves, { model })).items[0]?.entry ?? ''
    await test.run(undoAliasMove, { model, alias: 'champion', move: await move() })
    await test.run(undoAliasMove, { model, alias: 'champion', move: await move() })
    await ended(webhook, 8)
    const name = model
    expect(receiver.received.map(({ json: { entity, action, data } }) => [`${entity}.${action}`, data])).toEqual([
      ['registered_model.created', { name, tags: { team: 'b' }, description: 'Late or not' }],
      [
        'model_version.created',
        {
          name,
          version: '1',
          source: 'runs:/1/model',
          run_id: run.replaceAll('-', ''),
          tags: expect.objectContaining({ data: 'may' }),
          description: 'first',
        },
      ],
      ['model_version_tag.set', { name, version: '1', key: 'checked', value: expect.any(String) }],
      ['model_version_tag.deleted', { name, version: '1', key: 'checked' }],
      ['model_version_alias.created', { name, alias: 'champion', version: '1' }],
      ['model_version_alias.deleted', { name, alias: 'champion' }],
      ['model_version_alias.created', { name, alias: 'champion', version: '1' }],
      ['model_version_alias.deleted', { name, alias: 'champion' }],
    ])
  })

  it('is of prompts apart from models', async () => {
    const forModels = await make({
      events: ['registered_model.created', 'model_version.created', 'model_version_tag.set'],
    })
    const events = ['prompt.created', 'prompt_version.created', 'prompt_tag.set', 'prompt_alias.created']
    const { webhook } = await make({ events: [...events, 'prompt_tag.deleted', 'prompt_version_tag.set'] })
    const model = 'greeting'
    const made = { 'mlflow.prompt.is_prompt': 'true', tone: 'warm' }
    const put = (tags: Record<string, string>) =>
      test.run(putModel, { model, spec: { owner: 'ada', tier: 4, task: 'prompt', tags } })
    await put(made)
    await put({ ...made, language: 'en' })
    await put({ 'mlflow.prompt.is_prompt': 'true', language: 'en' })
    const text = { 'mlflow.prompt.text': 'Hello {{name}}!', 'mlflow.prompt.is_prompt': 'true' }
    await test.run(registerVersion, { model, note: 'shorter', properties: text, tags: { author: 'ada' } })
    await test.run(updateVersion, { version: `${model}@1`, tags: { liked: 'yes' } })
    await test.run(setAlias, { model, alias: 'live', version: 1 })
    await ended(webhook, 6)
    const name = model
    expect(receiver.received.map(({ json: { entity, action, data } }) => [`${entity}.${action}`, data])).toEqual([
      ['prompt.created', { name, tags: { language: 'en' }, description: '' }],
      ['prompt_tag.set', { name, key: 'language', value: 'en' }],
      ['prompt_tag.deleted', { name, key: 'tone' }],
      [
        'prompt_version.created',
        {
          name,
          version: '1',
          template: 'Hello {{name}}!',
          tags: expect.objectContaining({ author: 'ada' }),
          description: 'shorter',
        },
      ],
      ['prompt_version_tag.set', { name, version: '1', key: 'liked', value: 'yes' }],
      ['prompt_alias.created', { name, alias: 'live', version: '1' }],
    ])
    expect(await deliveriesOf(forModels.webhook)).toEqual([])
  })

  it('is any operation of the ledger, as its entry, but none that was refused or was before', async () => {
    await putModels(1)
    const { webhook } = await make({ events: ['operation.put-model'] })
    const vera = await test.as('vera', 'viewer')
    const spec = { owner: 'ada', tier: 3, task: 'other' as const }
    await expect(test.run(putModel, { model: 'no', spec }, { as: vera })).rejects.toMatchObject({ status: 403 })
    const [model] = await putModels(1)
    await ended(webhook, 1)
    const { items } = await test.run(listEntries, { operation: 'put-model', subject: `model:${model}` })
    expect(receiver.received).toHaveLength(1)
    expect(receiver.received[0]?.json).toMatchObject({
      entity: 'operation',
      action: 'put-model',
      data: { id: items[0]?.id, operation: 'put-model', outcome: 'done', subjects: [{ kind: 'model', id: model }] },
    })
  })

  it('is nothing from before it was asked for, however late the ledger is read', async () => {
    const { webhook } = await make({ events: ['registered_model.created'] })
    await putModels(1)
    await ended(webhook, 1)
    await test.run(updateWebhook, { webhook, events: ['registered_model.created', 'operation.put-model'] })
    await test.run(updateWebhook, { webhook, state: 'disabled' })
    await putModels(1)
    await test.run(updateWebhook, { webhook, state: 'active' })
    // As after a restart, or when an operator wants a replay.
    await test.platform.systemPool.query(`update ledger.cursor set ix = 0 where subscriber like '%webhooks'`)
    const [model] = await putModels(1)
    await ended(webhook, 3)
    expect(receiver.received.slice(1).map(({ json: { entity, data } }) => [entity, data.name])).toEqual(
      expect.arrayContaining([
        ['registered_model', model],
        ['operation', undefined],
      ]),
    )
    expect(await deliveriesOf(webhook)).toHaveLength(3)
  })

  it('is signed as MLflow signs, with a secret that nobody reads again', async () => {
    const { webhook, ...made } = await make({ events: ['registered_model.created'], secret })
    expect(made).toMatchObject({ signed: true })
    await putModels(1)
    await ended(webhook, 1)
    const [got] = receiver.received
    if (got === undefined) throw new Error('nothing was received')
    expect(got.headers['x-mlflow-signature']).toBe(signatureOf(got, secret))
    expect(Math.abs(Number(got.headers['x-mlflow-timestamp']) - Date.now() / 1000)).toBeLessThan(60)

    await test.run(updateWebhook, { webhook, secret: 'another' })
    await putModels(1)
    await ended(webhook, 2)
    expect(receiver.received[1] && signatureOf(receiver.received[1], 'another')).toBe(
      receiver.received[1]?.headers['x-mlflow-signature'],
    )
    await test.run(updateWebhook, { webhook, secret: null })
    await putModels(1)
    await ended(webhook, 3)
    expect(receiver.received[2]?.headers).not.toHaveProperty('x-mlflow-signature')

    const stored = await test.platform.systemPool.query(`
      select string_agg(t::text, '') as text from (
        select w::text as t from webhooks.webhook w union all select d::text from webhooks.delivery d
        union all select body from ledger.entry union all select a::text from platform.idempotent_answer a
        union all select j::text from platform.job j) everything`)
    expect(stored.rows[0].text).toContain(webhook)
    expect(stored.rows[0].text).not.toContain(secret)
  })

  it('leaves the secret out of the digest in the ledger', async () => {
    const input = { name: 'bot', url: receiver.url, events: ['prompt.created'] }
    await test.run(createWebhook, { ...input, secret: 'one' })
    await test.run(createWebhook, { ...input, secret: 'two' })
    const { items } = await test.run(listEntries, { operation: 'create-webhook', limit: 2 })
    const { rows } = await test.platform.systemPool.query(
      `select count(distinct body::jsonb ->> 'inputDigest')::int as digests from ledger.entry where id = any($1)`,
      [items.map(({ id }) => id)],
    )
    expect([items.length, rows[0].digests]).toEqual([2, 1])
    expect(items[0]?.facts).toMatchObject({ host: new URL(receiver.url).host, signed: true })
    expect(JSON.stringify(items)).not.toContain('/hook')
  })
})

describe('a receiver that fails', () => {
  it('is tried again, and gets everything in its order', async () => {
    let failures = 2
    receiver.answer((_, response) => response.writeHead(failures-- > 0 ? 503 : 200).end('later'))
    const { webhook } = await make({ events: ['registered_model.created'] })
    const names = await putModels(3)
    await until(test, async () => (receiver.received.length > 0 ? true : undefined))
    const failing = await until(test, async () => {
      const seen = await test.run(getWebhook, { webhook })
      return seen.failingSince === null || seen.queued < 3 ? undefined : seen
    })
    expect(failing).toMatchObject({ failures: 1, queued: 3, lastSuccessAt: null })
    expect((await test.run(listWebhooks, { failing: true })).items).toHaveLength(1)
    await passTime(webhook)
    await until(test, async () => ((await test.run(getWebhook, { webhook })).failures === 2 ? true : undefined))
    await passTime(webhook)
    const all = await ended(webhook, 3)
    expect(all.map(({ state, tries, status, answer }) => [state, tries, status, answer])).toEqual([
      ['delivered', 1, 200, 'later'],
      ['delivered', 1, 200, 'later'],
      ['delivered', 3, 200, 'later'],
    ])
    expect(receiver.received.map(({ json }) => json.data.name)).toEqual([names[0], names[0], ...names])
    expect(receiver.told()).toHaveLength(3)
    expect(await test.run(getWebhook, { webhook })).toMatchObject({ failures: 0, failingSince: null, queued: 0 })
  })

  it('holds up no other event when it refuses one', async () => {
    const { webhook } = await make({ events: ['registered_model.created'] })
    const [refused] = [`model-${models + 1}`]
    receiver.answer((_, response) => {
      const last = receiver.received.at(-1)
      response.writeHead(last?.json.data.name === refused ? 500 : 200).end()
    })
    await putModels(3)
    const seen = await until(test, async () => {
      const all = await deliveriesOf(webhook)
      return all.filter(({ state }) => state === 'delivered').length === 2 ? all : undefined
    })
    expect(seen.map(({ state }) => state)).toEqual(['delivered', 'delivered', 'queued'])
  })

  it('is given up after ten attempts, and can be sent the same again', async () => {
    receiver.answer((_, response) => response.writeHead(500).end('\u0000broken'))
    const { webhook } = await make({ events: ['registered_model.created'] })
    await putModels(1)
    for (let tries = 1; tries <= 10; tries++) {
      await until(test, async () => ((await deliveriesOf(webhook))[0]?.tries === tries ? true : undefined))
      if (tries < 10) await passTime(webhook)
    }
    const [dead] = await deliveriesOf(webhook)
    expect(dead).toMatchObject({ state: 'dead', tries: 10, status: 500, answer: '\uFFFDbroken', nextTryAt: null })
    expect(await test.run(getWebhook, { webhook })).toMatchObject({ dead: 1, failures: 10 })

    receiver.answer((_, response) => response.end())
    await test.run(redeliver, { delivery: dead?.delivery ?? '' })
    await ended(webhook, 1)
    expect(receiver.told()).toEqual([dead?.delivery])
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1)
    expect(await test.run(getWebhook, { webhook })).toMatchObject({ dead: 0, failures: 0 })
  })

  it('is heard to the end of its status: a body without end and a slow one cost nothing', async () => {
    const { webhook } = await make({ events: ['registered_model.created'] })
    receiver.answer((_, response) => {
      response.writeHead(200)
      const pour = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        response.once('drain', pour)
      }
      pour()
    })
    await putModels(1)
    const [one] = await ended(webhook, 1)
    expect(one).toMatchObject({ state: 'delivered', status: 200 })
    expect(one?.answer).toHaveLength(4096)
  })

  it('is not followed where it redirects to', async () => {
    const elsewhere = await startReceiver()
    receiver.answer((_, response) => response.writeHead(307, { location: elsewhere.url }).end())
    const { webhook } = await make({ events: ['registered_model.created'] })
    const { delivery } = await test.run(testWebhook, { webhook })
    const seen = await test.run(getDelivery, { delivery, wait: 20 })
    expect(seen).toMatchObject({ state: 'dead', error: expect.stringContaining('redirects') })
    expect(elsewhere.received).toEqual([])
    await elsewhere.close()
  })
})

describe('a test', () => {
  it('sends the example of an event once, also when the webhook is disabled or waits', async () => {
    const { webhook } = await make({
      events: ['prompt_version.created', 'operation.put-model'],
      state: 'disabled',
      secret,
    })
    await putModels(1)
    const tested = await test.run(testWebhook, { webhook })
    const seen = await test.run(getDelivery, { delivery: tested.delivery, wait: 20 })
    expect(seen).toMatchObject({ state: 'delivered', test: true, status: 200, answer: 'thanks', tries: 1 })
    expect(receiver.received[0]?.json).toMatchObject({
      entity: 'prompt_version',
      data: { template: 'Hello {{name}}!', name: 'example_prompt' },
    })
    receiver.answer((_, response) => response.writeHead(503).end())
    const { delivery } = await test.run(testWebhook, { webhook, event: 'operation.put-model' })
    expect(await test.run(getDelivery, { delivery, wait: 20 })).toMatchObject({ state: 'dead', tries: 1, status: 503 })
    expect(receiver.received).toHaveLength(2)
    expect(await test.run(getWebhook, { webhook })).toMatchObject({ failures: 0, state: 'disabled' })
  })
})

it('goes on after somebody cancelled the job that sends', async () => {
  receiver.answer((_, response) => response.writeHead(503).end())
  const { webhook } = await make({ events: ['registered_model.created'] })
  await putModels(1)
  await until(test, async () => ((await test.run(getWebhook, { webhook })).failures > 0 ? true : undefined))
  const { items } = await test.run(listJobs, { job: 'send-deliveries', state: 'queued' })
  for (const { id } of items) await test.run(cancelJob, { job: id })
  receiver.answer((_, response) => response.end())
  await putModels(1)
  expect(await ended(webhook, 2)).toMatchObject([{ state: 'delivered' }, { state: 'delivered' }])
})

describe('an address inside', () => {
  it.each([
    ['http://169.254.169.254/latest/meta-data', 'egress_address_refused'],
    ['http://[::1]/', 'egress_address_refused'],
    ['http://[fe80::1]/', 'egress_address_refused'],
    ['http://[fd00::1]/', 'egress_address_refused'],
    ['http://[::ffff:10.0.0.1]/', 'egress_address_refused'],
    ['http://[::ffff:a9fe:a9fe]/', 'egress_address_refused'],
    ['http://[64:ff9b::a9fe:a9fe]/', 'egress_address_refused'],
    ['http://2852039166/', 'egress_address_refused'],
    ['http://0xa9fea9fe/', 'egress_address_refused'],
    ['http://0251.0376.0251.0376/', 'egress_address_refused'],
    ['http://10.1/', 'egress_address_refused'],
    ['http://0/', 'egress_address_refused'],
    ['http://192.168.0.1:8080/', 'egress_address_refused'],
    ['http://name:word@93.184.215.14/', 'egress_url_invalid'],
    ['file:///etc/passwd', 'egress_url_invalid'],
    ['gopher://93.184.215.14/', 'egress_url_invalid'],
    ['//169.254.169.254/', 'egress_url_invalid'],
    ['hook', 'egress_url_invalid'],
    ['http://no-such-name.invalid/', 'webhook_host_unknown'],
  ])('%s is refused when a webhook is made and when it is changed', async (url, code) => {
    await expect(make({ events: ['prompt.created'], url })).rejects.toMatchObject({ code })
    const { webhook } = await make({ events: ['prompt.created'] })
    await expect(test.run(updateWebhook, { webhook, url })).rejects.toMatchObject({ code })
    expect(await test.run(getWebhook, { webhook })).toMatchObject({ url: receiver.url })
  })

  it('is refused by loopback in every spelling, where nothing private is allowed', async () => {
    const { services } = test.platform
    const allowing = services.egress
    services.egress = createEgress()
    try {
      for (const host of ['127.0.0.1', 'localhost', '127.1', '2130706433', '0177.0.0.1', '[::1]', '[::ffff:127.0.0.1]'])
        await expect(make({ events: ['prompt.created'], url: `http://${host}/` })).rejects.toMatchObject({
          code: 'egress_address_refused',
        })
    } finally {
      await services.egress.close()
      services.egress = allowing
    }
  })

  it('is refused when a name leads there only later', async () => {
    const inside = createServer(() => {
      throw new Error('reached')
    }).listen(0, '127.0.0.1')
    await once(inside, 'listening')
    const address = inside.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const { services } = test.platform
    const allowing = services.egress
    const answers = ['93.184.215.14', '127.0.0.1']
    const lookup: LookupFunction = (_name, _options, callback) =>
      callback(null, [{ address: answers.length > 1 ? (answers.shift() ?? '') : (answers[0] ?? ''), family: 4 }])
    services.egress = createEgress({ lookup })
    try {
      const { webhook } = await make({ events: ['prompt.created'], url: `http://rebind.test:${port}/` })
      const { delivery } = await test.run(testWebhook, { webhook })
      expect(await test.run(getDelivery, { delivery, wait: 20 })).toMatchObject({
        state: 'dead',
        status: null,
        error: expect.stringContaining('not a public address'),
      })
    } finally {
      await services.egress.close()
      services.egress = allowing
      inside.close()
    }
  })
})

it('follows no operation that is not there, changes nothing, or is its own work', async () => {
  for (const name of ['start-releese', 'list-webhooks', 'queue-deliveries', 'record-attempt', 'plan-deliveries']) {
    await expect(make({ events: [`operation.${name}`] })).rejects.toMatchObject({ code: 'webhook_event_unknown' })
  }
  for (const event of ['operation', 'model_version.updated', 'budget_policy.exceeded', '']) {
    await expect(make({ events: [event] })).rejects.toMatchObject({ code: 'invalid_input' })
  }
})

it('is an operator’s: a contributor does not even see the URLs, nor does another workspace', async () => {
  const { webhook } = await make({ events: ['prompt.created'] })
  const { delivery } = await test.run(testWebhook, { webhook })
  const carl = await test.as('carl', 'contributor')
  const olga = await test.as('olga', 'operator')
  expect((await test.run(listWebhooks, {}, { as: olga })).items).toHaveLength(1)
  await expect(test.run(listWebhooks, {}, { as: carl })).rejects.toMatchObject({ code: 'permission_denied' })
  await expect(test.run(redeliver, { delivery }, { as: carl })).rejects.toMatchObject({ code: 'permission_denied' })
  const stranger = systemActor(test.platform.ids.next())
  await expect(test.run(getWebhook, { webhook }, { as: stranger })).rejects.toMatchObject({ code: 'webhook_not_found' })
  await expect(test.run(getDelivery, { delivery }, { as: stranger })).rejects.toMatchObject({
    code: 'delivery_not_found',
  })
})
