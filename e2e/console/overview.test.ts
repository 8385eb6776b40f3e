import { expect, it } from 'vitest'
import { describeConsole, expectAccessible, expectNoSidewaysScroll, openPage, shot } from './support/console.ts'

describeConsole('the overview', () => {
  for (const scheme of ['light', 'dark'] as const) {
    it(`tells what is wrong, what serves and what changed, in ${scheme} colours`, async () => {
      const page = await openPage('admin', '/', { scheme })
      await page.getByRole('heading', { name: /^Open incidents: \d+/ }).waitFor()
      await page.getByText('flight-delays@4 was rolled back from prod/flight-delays: inputShift').first().waitFor()
      const row = page.getByRole('table', { name: 'Endpoints' }).getByRole('row', { name: /prod\/flight-delays/ })
      await row.waitFor()
      const cells = await row.getByRole('cell').allInnerTexts()
      expect(cells[1]).toMatch(/flight-delays@3/)
      expect(cells[2], 'requests with their unit').toMatch(/\d\/(s|min|h|day)/)
      expect(cells[4], 'p50').toMatch(/ ms$/)
      const changes = page.getByRole('region', { name: 'What changed in the last 24 h' })
      await changes
        .getByText(/was opened on|was rolled back from/)
        .first()
        .waitFor()
      expect(await changes.getByRole('link', { name: /@\d+$/ }).count()).toBeGreaterThan(0)
      expect(await changes.getByText('record-predictions').count(), 'noise').toBe(0)
      await expectAccessible(page)
      await shot(page, `overview-${scheme}`)
    })
  }

  it('leads on call from the phone to the incident', async () => {
    const page = await openPage('admin', '/', { width: 390 })
    await page.getByRole('link', { name: 'INC-1' }).first().waitFor()
    await expectNoSidewaysScroll(page)
    await page.getByRole('link', { name: 'INC-1' }).first().click()
    await page.getByRole('heading', { level: 1, name: /^INC-1/ }).waitFor()
    await page.getByText('Last release before').waitFor()
    await expectNoSidewaysScroll(page)
    await expectAccessible(page)
  })
})
