import { expect, it } from 'vitest'
import { createExperiment, createTrackingRun, getTrackingRun, updateTrackingRun } from '#modules/tracking/contract.ts'
import { listTrash } from '#modules/tracking/trash-contract.ts'
import { eventually } from '../support/wait.ts'
import { admin, describeConsole, expectAccessible, expectNoSidewaysScroll, openPage } from './support/console.ts'

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
})
