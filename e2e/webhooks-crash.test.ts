import { expect, onTestFinished, test } from 'vitest'
import { putModel } from '#modules/registry/contract.ts'
import { createWebhook, getWebhook } from '#modules/webhooks/contract.ts'
import { signatureOf, startReceiver } from '#modules/webhooks/receiver.fixture.ts'
import { createPlace, kill, startPave } from './support/start-pave.ts'
import { eventually } from './support/wait.ts'

test('a webhook is told of every change that was acknowledged, whenever `pave up` is killed', {
  timeout: 90_000,
}, async () => {
  const secret = 'survives too'
  const receiver = await startReceiver()
  onTestFinished(() => receiver.close())
  const place = await createPlace()
  place.env.PAVE_EGRESS_ALLOW = '127.0.0.1'
  let pave = await startPave(place)
  const { webhook } = await pave.admin.call(createWebhook, {
    name: 'bot',
    url: receiver.url,
    events: ['registered_model.created'],
    secret,
  })
  const acknowledged: string[] = []
  const put = async (model: string) => {
    await pave.admin.call(putModel, { model, spec: { owner: 'ada', tier: 4, task: 'other' } })
    acknowledged.push(model)
  }

  // Killed while a delivery is under way, with others behind it and entries that no subscriber has seen.
  receiver.answer(() => {})
  await put('first')
  await eventually(() => receiver.received.length === 1)
  for (let each = 1; each <= 20; each++) await put(`waiting-${each}`)
  kill(pave.pid, 'SIGKILL')
  await pave.ended
  // Killed again, with some delivered and one under way.
  let answered = 0
  receiver.answer((_, response) => {
    answered += 1
    if (answered <= 5) response.end()
  })
  pave = await startPave(place)
  await eventually(() => answered === 6)
  kill(pave.pid, 'SIGKILL')
  await pave.ended
  receiver.answer((_, response) => response.end())
  pave = await startPave(place)
  await put('last')

  const told = () => [...new Set(receiver.received.map(({ json }) => String(json.data.name)))]
  await eventually(() => told().length === acknowledged.length)
  expect(told()).toEqual(acknowledged)
  expect(receiver.told()).toHaveLength(acknowledged.length)
  for (const one of receiver.received) expect(one.headers['x-mlflow-signature']).toBe(signatureOf(one, secret))
  const settled = await eventually(async () => {
    const seen = await pave.admin.call(getWebhook, { webhook })
    return seen.queued === 0 && seen
  })
  expect(settled).toMatchObject({ dead: 0, failingSince: null })
  // What was sent twice is what was under way when it was killed.
  expect(receiver.received.length - acknowledged.length).toBeLessThanOrEqual(2)
  expect(await pave.stop()).toBe(0)
})
