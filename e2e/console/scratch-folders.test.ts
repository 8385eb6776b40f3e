import { it } from 'vitest'
import { putModel } from '#modules/registry/contract.ts'
import { createExperiment, createTrackingRun, updateTrackingRun } from '#modules/tracking/contract.ts'
import { putRetention } from '#modules/tracking/trash-contract.ts'
import { admin, describeConsole, openPage } from './support/console.ts'

const spec = { owner: 'ada', tier: 3, task: 'other' as const, description: 'Probability of fraud' }
describeConsole('shots', () => {
  it('takes', async () => {
    const ids: string[] = []
    for (const [index, folder] of [
      'risk',
      'risk/fraud',
      'risk/fraud/2026',
      'risk/credit',
      'marketing/churn',
      'ops',
    ].entries()) {
      for (let n = 0; n <= index; n++)
        ids.push(
          (await admin.call(createExperiment, { name: `${folder.split('/').at(-1)} experiment ${n}`, folder }))
            .experiment,
        )
      await admin.call(putModel, { model: `m-${index}`, spec, folder })
    }
    const shoot = async (
      path: string,
      name: string,
      view: object,
      act?: (page: Awaited<ReturnType<typeof openPage>>) => Promise<void>,
    ) => {
      const page = await openPage('ada', path, view)
      await page.waitForTimeout(1200)
      await act?.(page)
      await page.waitForTimeout(400)
      await page.screenshot({ path: `/tmp/pave/folders/${name}.png`, fullPage: true })
    }
    await shoot('/experiments', 'top-light', {})
    await shoot('/experiments?folder=risk', 'risk-dark', { scheme: 'dark' }, async (page) => {
      await page.getByRole('checkbox').first().check()
    })
    await shoot('/experiments?folder=risk', 'move-light', {}, async (page) => {
      await page.getByRole('checkbox').first().check()
      await page.getByRole('button', { name: 'Move …' }).click()
      await page.waitForTimeout(500)
      await page.getByRole('combobox', { name: 'Folder' }).fill('risk/')
    })
    await shoot('/experiments?search=exp', 'search-light', {})
    await shoot('/models?folder=risk/fraud', 'models-phone', { width: 390 })
    await shoot('/models', 'models-light', {})
    await shoot('/models?folder=nowhere', 'models-empty', {})
    const [id = ''] = ids
    const { run } = await admin.call(createTrackingRun, { experiment: id, name: 'x' })
    await admin.call(updateTrackingRun, { run, state: 'deleted' })
    await admin.call(putRetention, { experiment: id, expireAfterDays: 30 })
    await shoot(`/experiments/${id}?tab=retention`, 'retention-light', {})
    await shoot(`/experiments/${id}?tab=retention`, 'retention-dark', { scheme: 'dark' }, async (page) => {
      await page.getByRole('button', { name: 'Change' }).click()
    })
    await shoot(`/experiments/trash`, 'trash-light', {})
  })
})
