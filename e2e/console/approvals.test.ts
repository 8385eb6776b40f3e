import { expect, it } from 'vitest'
import { putEndpoint, startRelease } from '#modules/releases/contract.ts'
import { listEntries, listPendingOperations } from '#platform/kernel/contract.ts'
import { isPending } from '#platform/surfaces/client.ts'
import {
  admin,
  clientOf,
  describeConsole,
  expectAccessible,
  expectNoSidewaysScroll,
  hearNoMore,
  openPage,
  shot,
} from './support/console.ts'

/** Ada asks to release the first version to an endpoint of the test's own; answers what it waits as. */
async function askForRelease(endpoint: string): Promise<string> {
  const { client } = await clientOf('ada')
  const place = { environment: 'approvals', endpoint }
  await client.call(putEndpoint, { ...place, spec: { model: 'flight-delays', featureService: 'flight-delays' } })
  const { output } = await client.request(startRelease, { ...place, version: 'flight-delays@1' })
  if (!isPending(output)) throw new Error('the release did not wait')
  return output.pending.id
}

describeConsole('an approval', () => {
  it('is not for whoever asked, and is given by a second person who sees the numbers', async () => {
    const pending = await askForRelease('wanted')
    const own = await openPage('ada', `/approvals/${pending}`)
    await own.getByText('You asked for this change').waitFor()
    expect(await own.getByRole('button', { name: 'Approve' }).count()).toBe(0)

    const page = await openPage('grace', '/approvals')
    await page.getByLabel(/wait for you/).waitFor()
    const row = page.getByRole('row', { name: /approvals\/wanted/ })
    await row.getByRole('link', { name: 'start-release' }).click()
    const gates = page.getByRole('table', { name: 'Gates' })
    await gates.getByRole('row', { name: /beats_baseline passed .*auc 0\.7579 .*auc 0\.6708/ }).waitFor()
    await expectAccessible(page)
    await shot(page, 'approval')
    await page.getByLabel('Comment').fill('Slices look right <b>to me</b> 👍')
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('table', { name: 'Decisions' }).getByText('Slices look right <b>to me</b> 👍').waitFor()
    await page.getByText('How it ended: done').waitFor()
    await page.getByRole('link', { name: 'entries about it' }).click()
    await page.getByRole('table').getByRole('link', { name: 'approve', exact: true }).waitFor()
    const { items } = await admin.call(listEntries, { subject: `pending-operation:${pending}`, operation: 'approve' })
    expect(items).toMatchObject([{ outcome: 'done', facts: { quorumReached: true } }])
  })

  it('is refused with a reason, and then closed to everybody', async () => {
    const pending = await askForRelease('unwanted')
    const page = await openPage('grace', `/approvals/${pending}`)
    const reject = page.getByRole('button', { name: 'Reject' })
    expect(await reject.isDisabled()).toBe(true)
    await page.getByLabel('Comment').fill('Too early')
    const late = await openPage('admin', `/approvals/${pending}`)
    await hearNoMore(late)
    await late.getByRole('button', { name: 'Approve' }).waitFor()
    await reject.click()
    await page.getByText('How it ended: rejected').waitFor()
    await late.getByLabel('Comment').fill('Fine by me')
    await late.getByRole('button', { name: 'Approve' }).click()
    await late.getByText('pending_operation_closed').waitFor()
    expect(await late.getByLabel('Comment').inputValue()).toBe('Fine by me')
    const { items } = await admin.call(listPendingOperations, { state: 'rejected' })
    expect(items.find(({ id }) => id === pending)?.approvals).toMatchObject([
      { decision: 'reject', comment: 'Too early' },
    ])
  })

  for (const [scheme, width] of [
    ['dark', 1280],
    ['light', 390],
  ] as const) {
    it(`and the list are accessible in ${scheme} colours at ${width} pixels`, async () => {
      const page = await openPage('grace', '/approvals?state=all', { scheme, width })
      await page.getByRole('link', { name: 'start-release' }).first().waitFor()
      await expectAccessible(page)
      await expectNoSidewaysScroll(page)
      await page.getByRole('link', { name: 'start-release' }).first().click()
      await page.getByRole('table', { name: 'Gates' }).waitFor()
      await expectAccessible(page)
      await expectNoSidewaysScroll(page)
    })
  }
})
