import { expect, it } from 'vitest'
import { createExperiment, createTrackingRun, getTrackingRun, updateTrackingRun } from '#modules/tracking/contract.ts'
import { getRetention, listTrash, putRetention } from '#modules/tracking/trash-contract.ts'
import { eventually } from '../support/wait.ts'
import {
  admin,
  describeConsole,
  expectAccessible,
  expectNoSidewaysScroll,
  newPerson,
  openPage,
} from './support/console.ts'

describeConsole('the trash', () => {
  it('shows what was deleted, takes it out again, and lets an admin purge it after a question', async () => {
    const { experiment } = await admin.call(createExperiment, { name: 'thrown away' })
    const deleted = async (name: string) => {
      const { run } = await admin.call(createTrackingRun, { experiment, name })
      await admin.call(updateTrackingRun, { run, state: 'deleted' })
      return run
    }
    const [back, gone] = [await deleted('back <b>again</b>'), await deleted('gone for good')]
    const page = await openPage('ada', '/experiments')
    await page.getByRole('link', { name: 'Trash' }).click()
    await page.getByRole('row', { name: /gone for good/ }).waitFor()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    await page.getByRole('button', { name: 'Restore back <b>again</b>' }).click()
    await page.getByRole('row', { name: /back <b>again/ }).waitFor({ state: 'detached' })
    expect(await admin.call(getTrackingRun, { run: back })).toMatchObject({ state: 'active' })

    expect(await page.getByRole('button', { name: 'Purge gone for good' }).count()).toBe(0)
    const last = await openPage('admin', '/experiments/trash')
    await last.getByRole('button', { name: 'Purge gone for good' }).click()
    await last.getByRole('dialog').getByRole('button', { name: 'Purge', exact: true }).click()
    await last.waitForURL(/\/jobs\//)
    await eventually(async () => (await admin.call(listTrash, { experiment })).items.length === 0)
    await expect(admin.call(getTrackingRun, { run: gone })).rejects.toMatchObject({ code: 'tracking_run_not_found' })
  })

  it('holds things as long as their experiment says, who may change that says it there', async () => {
    const { experiment } = await admin.call(createExperiment, { name: 'kept for a while' })
    const { run } = await admin.call(createTrackingRun, { experiment, name: 'going soon' })
    await admin.call(updateTrackingRun, { run, state: 'deleted' })
    const page = await openPage('ada', `/experiments/${experiment}`)
    await page.getByRole('tab', { name: 'Retention' }).click()
    await page.getByText('is purged after 30 days').waitFor()
    await page.getByText('nobody: that is the default').waitFor()
    await page.getByRole('button', { name: 'Change' }).click()
    await page.getByRole('switch', { name: 'Ended runs go to the trash by themselves' }).check()
    await page.getByLabel('So many days after their end').fill('60')
    await page.getByLabel('Unless they have the tag').fill('gold')
    await page.getByLabel('Days in the trash, until it is purged for good').fill('7')
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('go to the trash after 60 days').waitFor()
    await page.getByText('is purged after 7 days').waitFor()
    expect(await admin.call(getRetention, { experiment })).toMatchObject({
      ...{ own: true, trashDays: 7, expireAfterDays: 60, keepTag: 'gold' },
    })
    await page.getByRole('row', { name: /put-retention.*ada/ }).waitFor()
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)

    const trash = await openPage('ada', '/experiments/trash?kind=run')
    await trash.getByRole('row', { name: /going soon.* in (7|6) d/ }).waitFor()
    await admin.call(putRetention, { experiment, trashDays: 0 })
    await trash.getByRole('row', { name: /going soon.* due/ }).waitFor()

    await page.getByRole('button', { name: 'Use the default' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Use the default' }).click()
    await page.getByText('nobody: that is the default').waitFor()
    expect(await admin.call(getRetention, { experiment })).toMatchObject({ own: false, trashDays: 30 })
    const { name } = await newPerson('trash-viewer', 'viewer')
    const viewer = await openPage(name, `/experiments/${experiment}?tab=retention`)
    await viewer.getByText('is purged after 30 days').waitFor()
    expect(await viewer.getByRole('button', { name: 'Change' }).count()).toBe(0)
  })
})
