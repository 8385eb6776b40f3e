import { expect, it } from 'vitest'
import { describeConsole, expectAccessible, expectNoSidewaysScroll, openPage, shot } from './support/console.ts'

describeConsole('the shell', () => {
  for (const scheme of ['light', 'dark'] as const) {
    it(`is accessible in ${scheme} colours`, async () => {
      const page = await openPage('admin', '/', { scheme })
      await page.getByText('flight-delays').first().waitFor()
      await expectAccessible(page)
      await shot(page, scheme === 'light' ? 'overview' : 'overview-dark')
    })
  }

  it('fits a phone', async () => {
    const page = await openPage('admin', '/', { width: 390 })
    await expectNoSidewaysScroll(page)
    await page.getByRole('button', { name: 'Rooms' }).click()
    await page.getByRole('link', { name: 'Models' }).click()
    await page.waitForURL('**/models')
    expect(await page.getByRole('link', { name: 'Models' }).isVisible()).toBe(false)
  })
})
