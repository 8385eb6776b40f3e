import { expect, it } from 'vitest'
import { listJobs } from '#platform/kernel/contract.ts'
import { admin, describeConsole, expectAccessible, expectNoSidewaysScroll, openPage, shot } from './support/console.ts'

describeConsole('the lineage of a version', () => {
  it('leads by keyboard to what it was made from and what came of it, and says so as a list', async () => {
    const page = await openPage('admin', '/lineage/version:flight-delays@3')
    const graph = page.getByRole('region', { name: 'Lineage graph' })
    await graph.getByRole('link', { name: 'version flight-delays@3', exact: true }).waitFor()
    for (const thing of ['dataset-version flights@2', 'feature-view arrivals@1', 'pipeline train-flight-delays']) {
      expect(await graph.getByRole('link', { name: thing, exact: true }).count(), thing).toBe(1)
    }
    expect(await graph.getByRole('link', { name: /^release / }).count(), 'downstream').toBe(1)
    await expectAccessible(page)
    await shot(page, 'lineage')
    await page.getByText('As a list, with the entries that say so').click()
    const list = page.getByRole('table', { name: 'Lineage' })
    await list
      .getByRole('row', { name: /dataset-version flights@2 version flight-delays@3 register-version/ })
      .waitFor()
    await graph.getByRole('link', { name: 'Lineage of dataset-version flights@2' }).press('Enter')
    await page.waitForURL((url) => decodeURIComponent(url.pathname) === '/lineage/dataset-version:flights@2')
    await graph.getByRole('link', { name: 'version flight-delays@3', exact: true }).waitFor()
    await graph.getByRole('link', { name: 'version flight-delays@3', exact: true }).press('Enter')
    await page.waitForURL('**/models/flight-delays/versions/3')
  })

  it('fits a phone, in dark colours too', async () => {
    const page = await openPage('admin', '/lineage/version:flight-delays@3?files=true', { width: 390, scheme: 'dark' })
    await page
      .getByRole('region', { name: 'Lineage graph' })
      .getByRole('link', { name: /^object / })
      .first()
      .waitFor()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
  })

  it('is empty for what nobody knows', async () => {
    const page = await openPage('admin', `/lineage/${encodeURIComponent('version:<img src=x>@🛫')}`)
    await page.getByText('Nothing is recorded of what it was made from').waitFor()
    await page.getByRole('heading', { name: 'Lineage of version <img src=x>@🛫' }).waitFor()
  })
})

describeConsole('jobs', () => {
  for (const [scheme, width] of [
    ['light', 1280],
    ['dark', 390],
  ] as const) {
    it(`are listed and told of in ${scheme} colours at ${width} pixels`, async () => {
      const [job] = (await admin.call(listJobs, { job: 'run-approved-operation', state: 'done', limit: 1 })).items
      const page = await openPage('admin', '/jobs?job=run-approved-operation', { scheme, width })
      await page.getByRole('link', { name: 'run-approved-operation' }).first().waitFor()
      expect(await page.getByText('sweep-runs').count()).toBe(0)
      await expectAccessible(page)
      await expectNoSidewaysScroll(page)
      await page.goto(`/jobs/${job?.id}`)
      await page.getByRole('heading', { name: 'run-approved-operation' }).waitFor()
      await page.getByRole('main').getByRole('link').filter({ hasText: '…' }).first().waitFor()
      expect(await page.getByRole('button', { name: 'Retry' }).count()).toBe(0)
      await expectAccessible(page)
      await expectNoSidewaysScroll(page)
    })
  }
})
