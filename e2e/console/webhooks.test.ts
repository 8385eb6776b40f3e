import { expect, it, onTestFinished } from 'vitest'
import { putModel } from '#modules/registry/contract.ts'
import { createWebhook, deleteWebhook, getWebhook, listWebhooks } from '#modules/webhooks/contract.ts'
import { type Receiver, startReceiver } from '#modules/webhooks/receiver.fixture.ts'
import {
  admin,
  describeConsole,
  expectAccessible,
  expectNoSidewaysScroll,
  newPerson,
  openPage,
  shot,
} from './support/console.ts'

describeConsole('webhooks', () => {
  it('are made, tested, edited and deleted', async () => {
    const receiver = await receiverOfTest()
    const page = await openPage('admin', '/settings/webhooks')
    await page.getByRole('button', { name: 'Make a webhook' }).click()
    const form = page.getByRole('dialog', { name: 'Make a webhook' })
    await form.getByRole('textbox', { name: 'Name' }).fill('pager')
    await form.getByRole('textbox', { name: 'URL' }).fill('http://169.254.169.254/latest')
    await form.getByLabel('Events').fill('operation.put-model')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Escape')
    await form.getByLabel('Secret').fill('hush')
    await expectAccessible(page)
    await form.getByRole('button', { name: 'Make', exact: true }).click()
    await form.getByText('not a public address').first().waitFor()
    await form.getByRole('textbox', { name: 'URL' }).fill(receiver.url)
    await form.getByRole('button', { name: 'Make', exact: true }).click()

    await page.getByRole('heading', { level: 1, name: 'pager' }).waitFor()
    await page.getByText('nothing sent yet').waitFor()
    await page.getByRole('button', { name: 'Test', exact: true }).click()
    const tested = page.getByRole('dialog', { name: 'Test of pager' })
    await tested.getByText('thanks').waitFor()
    expect(receiver.received[0]?.json.action).toBe('put-model')
    await expectAccessible(page)
    await tested.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('row', { name: /operation\.put-model test delivered 200/ }).waitFor()

    await page.getByRole('button', { name: 'Edit' }).click()
    const edit = page.getByRole('dialog', { name: 'Edit pager' })
    expect(await edit.getByLabel('Secret').inputValue()).toBe('')
    await edit.getByRole('textbox', { name: 'Name' }).fill('pager-2')
    await edit.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { level: 1, name: 'pager-2' }).waitFor()
    const [made] = (await admin.call(listWebhooks, {})).items
    expect(made).toMatchObject({ name: 'pager-2', signed: true, events: ['operation.put-model'] })
    await page.getByRole('button', { name: 'Delete pager-2' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.getByText('Nobody is told of anything').waitFor()
    expect((await admin.call(listWebhooks, {})).items).toEqual([])
  })

  it.each([
    [1280, 'light'],
    [1280, 'dark'],
    [390, 'dark'],
  ] as const)('say which receiver fails and let what was given up be sent again (%i, %s)', async (width, scheme) => {
    const receiver = await receiverOfTest()
    receiver.answer((_, response) => response.writeHead(503).end('upstream is away'))
    const { webhook } = await admin.call(createWebhook, {
      name: 'release-bot',
      url: receiver.url,
      events: ['operation.put-model'],
    })
    onTestFinished(async () => void (await admin.call(deleteWebhook, { webhook })))
    const model = `told-${width}-${scheme}`
    await admin.call(putModel, { model, spec: { owner: 'ada', tier: 4, task: 'other' } })
    await expect.poll(async () => (await admin.call(getWebhook, { webhook })).failures).toBeGreaterThan(0)
    const page = await openPage('admin', '/settings/webhooks', { width, scheme })
    await page.getByRole('row', { name: /release-bot failing/ }).waitFor()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    await page.getByRole('link', { name: 'release-bot' }).click()
    await page.getByText(/in a row/).waitFor()
    await page.getByRole('button', { name: 'Test', exact: true }).click()
    const tested = page.getByRole('dialog', { name: 'Test of release-bot' })
    await tested.getByText('upstream is away').waitFor()
    await tested.getByRole('button', { name: 'Close' }).click()
    receiver.answer((_, response) => response.end('thanks'))
    await page.getByRole('button', { name: 'Send again: operation.put-model' }).click()
    await page.getByRole('row', { name: /operation\.put-model test delivered 200/ }).waitFor()
    await page.getByText('good', { exact: true }).waitFor()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    if (scheme === 'light') await shot(page, 'webhook')
  })

  it('are not for somebody who may not see where they lead', async () => {
    await newPerson('builds-only', 'contributor')
    const page = await openPage('builds-only', '/settings/webhooks?make=true')
    await page.getByText('You may not see or make webhooks: that takes webhook:create').waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
    await expectAccessible(page)
  })
})

async function receiverOfTest(): Promise<Receiver> {
  const receiver = await startReceiver()
  onTestFinished(() => receiver.close())
  return receiver
}
