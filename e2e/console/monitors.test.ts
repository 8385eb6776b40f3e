import { expect, it } from 'vitest'
import { listFindings } from '#modules/monitoring/contract.ts'
import { admin, describeConsole, expectAccessible, expectNoSidewaysScroll, openPage, shot } from './support/console.ts'

describeConsole('monitors', () => {
  it('are found, and show what they saw last against its limits', async () => {
    const page = await openPage('admin', '/monitors')
    await page.getByRole('searchbox').fill('nothing like it')
    await page.getByText('No monitor is like that').waitFor()
    await page.getByRole('searchbox').fill('prod/flight')
    await page.getByRole('link', { name: 'prod/flight-delays' }).first().click()
    const table = page.getByRole('table', { name: 'Metrics of the last window' })
    const performance = table.getByRole('row', { name: /^performance/ })
    expect(await performance.textContent()).toMatch(/within\s*0\.\d{3} AUC\s*≥ 0\.\d{3}/)
    await table.getByRole('link', { name: 'input drift of distance' }).click()
    await page.waitForURL(/feature=distance/)
    await page.getByRole('img', { name: /^input drift of distance over \d+ windows: 0\.\d+ PSI/ }).waitFor()
    await page.getByRole('img', { name: /^Distribution of distance/ }).waitFor()
    await shot(page, 'monitor')
  })

  for (const scheme of ['light', 'dark'] as const) {
    it(`are accessible in ${scheme} colours, as findings are, and fit a phone`, async () => {
      const { items } = await admin.call(listFindings, { feature: 'route_late_rate_7d', limit: 1 })
      const paths = ['/monitors', '/monitors/prod/flight-delays', `/findings/${items[0]?.finding}`]
      for (const path of paths) {
        const page = await openPage('admin', path, { scheme, width: scheme === 'light' ? 1280 : 390 })
        await page.getByText('flight-delays').first().waitFor()
        if (path !== '/monitors') await page.getByRole('img').first().waitFor()
        await expectAccessible(page)
        await expectNoSidewaysScroll(page)
      }
    })
  }

  it('say of a finding why it was raised and what was done', async () => {
    const { items } = await admin.call(listFindings, { limit: 200 })
    const retrained = items.find((one) => one.run !== null)
    const page = await openPage('admin', `/findings/${retrained?.finding}`)
    await page.getByRole('heading', { level: 1, name: `Input drift of ${retrained?.feature}` }).waitFor()
    const done = page.getByRole('table', { name: 'What was done' })
    await done.getByText('start-retraining').first().waitFor()
    expect(await page.locator(`a[href="/runs/${retrained?.run}"]`).count()).toBeGreaterThan(0)
    await shot(page, 'finding')
  })
})
