import { expect, it } from 'vitest'
import { z } from 'zod'
import { getDatasetVersion, ingestDataset } from '#modules/datasets/contract.ts'
import { getJob } from '#platform/kernel/contract.ts'
import { admin, describeConsole, expectAccessible, expectNoSidewaysScroll, openPage, shot } from './support/console.ts'

/** A version of its own: the same range of the same source is the same version, however often it is asked for. */
async function ingestWeek() {
  const { job } = await admin.call(ingestDataset, { dataset: 'flights', from: '2001-01-01', to: '2001-01-15' })
  const ended = await admin.call(getJob, { job, wait: 30 })
  expect(ended).toMatchObject({ state: 'done' })
  const { version } = z.object({ version: z.number() }).parse(ended.result)
  return admin.call(getDatasetVersion, { dataset: 'flights', version: String(version) })
}

describeConsole('the datasets', () => {
  it('lead from the list to the rows that broke a rule', async () => {
    const { version, quarantined } = await ingestWeek()
    const broken = quarantined['unique'] ?? 0
    expect(broken).toBeGreaterThan(0)
    const page = await openPage('ada', '/datasets')
    await page.getByRole('link', { name: 'flights', exact: true }).click()
    await page
      .getByRole('table', { name: 'Versions' })
      .getByRole('link', { name: `@${version}`, exact: true })
      .click()
    await page.getByRole('img', { name: /^delay: mean/ }).waitFor()
    await shot(page, 'console-dataset')
    await page.getByRole('tab', { name: 'Contract' }).click()
    const rule = page.getByRole('row', { name: /^unique/ })
    await rule.getByRole('link', { name: String(broken) }).click()
    const rows = page.getByRole('table', { name: 'Rows set aside' }).locator('tbody tr')
    await expect.poll(() => rows.count()).toBe(broken)
    expect(await rows.first().textContent()).toContain('unique')
    expect(new URL(page.url()).searchParams.get('rule')).toBe('unique')
  })

  it('compare the columns of two versions', async () => {
    const { version } = await ingestWeek()
    const page = await openPage('ada', `/datasets/flights/versions/${version}?against=1`)
    await page.getByRole('table', { name: 'Most frequent values of origin' }).waitFor()
    await expect.poll(() => page.getByText('flights@1: ').count()).toBeGreaterThan(3)
    const origins = page.getByRole('table', { name: 'Most frequent values of origin' }).locator('tbody tr')
    expect(await origins.first().textContent()).toMatch(/ORD|ATL|DFW/)
  })

  it.each(['light', 'dark'] as const)('are readable by everybody, and on a phone, %s', async (scheme) => {
    for (const path of ['/datasets', '/datasets/flights', '/datasets/flights/versions/1?tab=quarantine']) {
      const page = await openPage('ada', path, { scheme, width: scheme === 'dark' ? 390 : 1280 })
      await page.getByRole('table').first().waitFor()
      await expectAccessible(page)
      await expectNoSidewaysScroll(page)
    }
  })
})
