import { expect, it } from 'vitest'
import { listEntries, listJobs } from '#platform/kernel/contract.ts'
import { admin, describeConsole, expectAccessible, expectNoSidewaysScroll, openPage, shot } from './support/console.ts'

describeConsole('the shell', () => {
  it('loads at most 250 KB, compressed, to show the first page', async () => {
    const page = await openPage('admin')
    await page.waitForLoadState('networkidle')
    const loaded = await page.evaluate(() => {
      const [page] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
      const files = performance.getEntriesByType('resource') as PerformanceResourceTiming[]
      const own = files.filter(({ name }) => new URL(name).pathname.startsWith('/assets/'))
      return {
        files: own.length,
        bytes: (page?.encodedBodySize ?? 0) + own.reduce((sum, one) => sum + one.encodedBodySize, 0),
      }
    })
    expect(loaded.files).toBeGreaterThan(2)
    expect(loaded.bytes).toBeGreaterThan(50_000)
    expect(loaded.bytes / 1024, 'KB').toBeLessThanOrEqual(250)
  })

  it('leads through the rooms by keyboard, and says where one is', async () => {
    const page = await openPage('admin')
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    await page.keyboard.press('g')
    await page.keyboard.press('m')
    await page.waitForURL('**/models')
    await page.getByRole('heading', { level: 1, name: 'Models' }).waitFor()
    expect(await page.title()).toBe('Models · Pave')
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1')
    await page.keyboard.press('?')
    const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    await help.getByText('Search everything, run a command').waitFor()
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    await help.waitFor({ state: 'hidden' })
  })

  it('fits a phone, where the menu closes behind whoever leaves by it', async () => {
    const page = await openPage('admin', '/', { width: 390 })
    await expectNoSidewaysScroll(page)
    const models = page.getByRole('link', { name: 'Models', exact: true })
    await page.getByRole('button', { name: 'Rooms' }).click()
    await models.click()
    await page.waitForURL('**/models')
    await models.waitFor({ state: 'hidden' })
  })

  it('keeps the rooms around an address that leads nowhere', async () => {
    const page = await openPage('admin', '/no/such/place')
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
    await page.getByRole('link', { name: 'Ledger', exact: true }).waitFor()
    await expectAccessible(page)
  })
})

describeConsole('search and commands', () => {
  for (const scheme of ['light', 'dark'] as const) {
    it(`find a thing by a piece of its name, in ${scheme} colours`, async () => {
      const page = await openPage('admin', '/jobs', { scheme })
      await page.keyboard.press('Control+k')
      const palette = page.getByRole('dialog', { name: 'Search and commands' })
      await palette.getByRole('combobox').fill('flight-del')
      const option = palette.getByRole('option', { name: /^endpoint\s*prod\/flight-delays/ })
      await option.waitFor()
      await expectAccessible(page)
      if (scheme === 'light') await shot(page, 'search')
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('ArrowUp')
      await option.click()
      await page.waitForURL('**/endpoints/prod/flight-delays')
      await palette.waitFor({ state: 'hidden' })
    })
  }

  it('lead from a pasted id straight to its page', async () => {
    const page = await openPage('admin')
    const [entry] = (await admin.call(listEntries, { operation: 'register-version', limit: 1 })).items
    const [job] = (await admin.call(listJobs, { job: 'run-pipeline', limit: 1 })).items
    for (const [id, url] of [
      [entry?.id, `**/ledger/${entry?.id}`],
      [job?.id, `**/jobs/${job?.id}`],
    ] as const) {
      await page.locator('body').press('/')
      await page.getByRole('combobox', { name: 'Search' }).fill(id ?? '')
      await page.getByRole('option', { name: id === entry?.id ? /register-version/ : /run-pipeline/ }).waitFor()
      await page.keyboard.press('Enter')
      await page.waitForURL(url)
      await page.getByRole('heading', { level: 1 }).waitFor()
    }
  })

  it('run a command, and say when nothing is found', async () => {
    const page = await openPage('admin')
    await page.locator('body').press('/')
    await page.getByRole('combobox').fill('dark theme')
    await page.getByRole('option', { name: /Switch colours/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.locator('html[data-mantine-color-scheme=dark]').waitFor()
    await page.locator('body').press('/')
    await page.getByRole('combobox').fill('<b>no such thing</b> 🦄')
    await page.getByText('Nothing that you may see is called <b>no such thing</b> 🦄.').waitFor()
  })
})
