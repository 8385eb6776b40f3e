import { expect, it } from 'vitest'
import { describeConsole, expectAccessible, expectNoSidewaysScroll, openPage, shot } from './support/console.ts'

describeConsole('the features', () => {
  it('say what they mean, who uses them, and what they are for one airport', async () => {
    const page = await openPage('ada', '/features')
    await page.getByRole('link', { name: 'departures', exact: true }).click()
    await page.getByText('Mean of late over the last 3h, moving by 5m').waitFor()
    await page.getByRole('link', { name: 'prod/flight-delays' }).waitFor()
    await page.getByRole('textbox', { name: 'airport' }).fill('ORD')
    await page.getByRole('button', { name: 'Look up' }).click()
    const answer = page.getByText('Its newest event is of')
    await answer.waitFor()
    const value = page.locator('dt', { hasText: 'flights_24h' }).locator('+ dd')
    expect(Number((await value.textContent())?.replaceAll(',', ''))).toBeGreaterThan(100)
    await shot(page, 'console-feature-view')
  })

  it('tell an airport that nobody ever saw from one without flights', async () => {
    const page = await openPage('ada', '/features/views/departures')
    await page.getByRole('textbox', { name: 'airport' }).fill('<b>🛫</b>')
    await page.getByRole('button', { name: 'Look up' }).click()
    await page.getByText('The online store has never seen it').waitFor()
    expect(await page.locator('b', { hasText: '🛫' }).count()).toBe(0)
  })

  it('are computed for a request, in the order of the model', async () => {
    const page = await openPage('ada', '/features/services/flight-delays')
    const fields = { origin: 'ORD', destination: 'LGA', date: '2001-06-30T23:00:00Z', distance: '733' }
    for (const [name, text] of Object.entries(fields)) await page.getByLabel(name, { exact: true }).fill(text)
    await page.getByRole('button', { name: 'Compute' }).click()
    const row = page.getByRole('row', { name: /^distance / })
    await expect.poll(() => row.textContent()).toContain('733')
    expect(await page.getByRole('row', { name: /^origin_late_rate_3h / }).textContent()).not.toContain('no value')
  })

  it.each(['light', 'dark'] as const)('are readable by everybody, and on a phone, %s', async (scheme) => {
    for (const path of ['/features', '/features/views/departures', '/features/services/flight-delays']) {
      const page = await openPage('ada', path, { scheme, width: scheme === 'dark' ? 390 : 1280 })
      await page.getByRole('table').first().waitFor()
      await expectAccessible(page)
      await expectNoSidewaysScroll(page)
    }
  })
})
