import { expect, it } from 'vitest'
import { listPredictions } from '#modules/predictions/contract.ts'
import { admin, describeConsole, expectAccessible, expectNoSidewaysScroll, openPage, shot } from './support/console.ts'

const on = { environment: 'prod', endpoint: 'flight-delays' }

describeConsole('the predictions', () => {
  it('are found by the fields of a request and by time, and show features and label', async () => {
    const page = await openPage('ada', '/predictions?endpoint=prod/flight-delays')
    await page.getByLabel('Request fields').fill('origin=ORD destination=LGA')
    await page.getByLabel('From (UTC)').fill('2001-05-01')
    await page.getByLabel('Before (UTC)').fill('2001-06-01')
    await page.getByRole('button', { name: 'Search', exact: true }).click()
    const { items } = await admin.call(listPredictions, {
      ...on,
      request: 'origin=ORD&destination=LGA',
      from: '2001-05-01T00:00:00Z',
      to: '2001-06-01T00:00:00Z',
      limit: 200,
    })
    const [newest] = items
    if (newest === undefined) throw new Error('the demo asked about no flight from ORD to LGA in May')
    await page.getByText(`${items.length} row`).waitFor()
    await page.getByRole('link', { name: newest.id }).first().click()
    await page.getByRole('heading', { level: 1, name: newest.id }).waitFor()
    await page.getByRole('link', { name: 'LGA' }).waitFor()
    await page.getByText(/known .+ after the event/).waitFor()
    await page.getByRole('img', { name: /^distance: bin \d+ of \d+ in training/ }).waitFor()
    await shot(page, 'console-prediction')
    await page.getByRole('link', { name: 'ORD', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'Predictions' }).waitFor()
    expect(await page.getByLabel('Request fields').inputValue()).toContain('ORD')
  })

  it('are found by id alone; a wrong time is refused where it was typed', async () => {
    const [some] = (await admin.call(listPredictions, { ...on, limit: 1 })).items
    const page = await openPage('ada', '/predictions?endpoint=prod/flight-delays')
    await page.getByLabel('From (UTC)').fill('yesterday')
    await page.getByText('Write 2026-01-31 or with a time').waitFor()
    await page.getByLabel('From (UTC)').fill('')
    await page.getByLabel('Request id').fill(some?.id ?? '')
    await page.getByRole('button', { name: 'Search', exact: true }).click()
    await expect.poll(() => page.getByRole('table', { name: 'Predictions' }).locator('tbody tr').count()).toBe(1)
  })

  it.each(['light', 'dark'] as const)('are readable by everybody, and on a phone, %s', async (scheme) => {
    const [some] = (await admin.call(listPredictions, { ...on, limit: 1 })).items
    for (const path of [
      '/predictions?endpoint=prod/flight-delays',
      `/endpoints/prod/flight-delays/predictions/${some?.id}`,
    ]) {
      const page = await openPage('ada', path, { scheme, width: scheme === 'dark' ? 390 : 1280 })
      await page.getByRole('table').first().waitFor()
      await expectAccessible(page)
      await expectNoSidewaysScroll(page)
    }
  })
})
