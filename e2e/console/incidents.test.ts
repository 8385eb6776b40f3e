import { expect, it } from 'vitest'
import { getIncident, openIncident } from '#modules/incidents/contract.ts'
import { admin, describeConsole, expectAccessible, expectNoSidewaysScroll, openPage, shot } from './support/console.ts'

const title = 'Answers look odd <b>für</b> 東京 🛬 since the deploy'

async function openOne(id: string): Promise<string> {
  const input = { title, severity: 'medium' as const, cause: { kind: 'endpoint', id } }
  return (await admin.call(openIncident, input)).incident
}

describeConsole('an incident', () => {
  for (const scheme of ['light', 'dark'] as const) {
    it(`tells its story in ${scheme} colours`, async () => {
      const page = await openPage('admin', '/incidents/INC-1', { scheme })
      const timeline = page.getByRole('list', { name: 'Timeline' })
      await timeline.getByText('rollback-release').first().waitFor()
      expect(await timeline.locator('[data-kind="harm"]').count()).toBeGreaterThan(0)
      expect(await page.getByText(/rows? (was|were) answered by/).textContent()).toMatch(/^[\d,]+ row/)
      await expectAccessible(page)
      if (scheme === 'light') await shot(page, 'incident')
    })
  }

  it('keeps a comment that did not arrive, also over a reload, and shows it live where it did', async () => {
    const incident = await openOne('e2e/comment')
    const [page, watching] = [
      await openPage('admin', `/incidents/${incident}`, { width: 390 }),
      await openPage('ada', `/incidents/${incident}`),
    ]
    await page.getByRole('heading', { level: 1, name: title }).waitFor()
    await expectNoSidewaysScroll(page)
    const comments = '**/api/v1/incidents/*/comments'
    await page.route(comments, (route) => route.fulfill({ status: 500, body: 'gone' }))
    await page.getByLabel('Comment').fill('It is <i>not</i> the weather')
    await page.getByRole('button', { name: 'Add comment' }).click()
    await page.getByRole('alert').first().waitFor()
    await page.reload()
    expect(await page.getByLabel('Comment').inputValue()).toBe('It is <i>not</i> the weather')
    await page.unroute(comments)
    await page.getByRole('button', { name: 'Add comment' }).click()
    await watching.getByText('It is <i>not</i> the weather').waitFor()
    expect(await page.getByLabel('Comment').inputValue()).toBe('')
  })

  it('is mitigated and resolved with a reason, and its times are told', async () => {
    const incident = await openOne('e2e/resolve')
    const page = await openPage('admin', `/incidents?search=${incident}`)
    await page.getByRole('link', { name: incident }).click()
    await page.getByRole('button', { name: 'Mitigated' }).click()
    await page.getByLabel('What ended it').fill('Turned it off')
    await page.getByRole('button', { name: 'It is mitigated' }).click()
    await page.getByRole('list', { name: 'Timeline' }).getByText('Turned it off').waitFor()
    await page.getByRole('button', { name: 'Resolve' }).click()
    await page.getByLabel('What it was, and what was done about it').fill('A wrong unit')
    await page.getByRole('dialog').getByRole('button', { name: 'Resolve' }).click()
    await page.getByText('Resolution:').waitFor()
    const { resolution, mitigatedAt } = await admin.call(getIncident, { incident })
    expect(resolution).toBe('A wrong unit')
    expect(mitigatedAt).not.toBeNull()
    expect(await page.getByRole('button', { name: 'Resolve' }).count()).toBe(0)
    await page.goto('/incidents?state=resolved')
    await page.getByRole('row', { name: new RegExp(`${incident}.*resolved`) }).waitFor()
    await expectAccessible(page)
  })
})
