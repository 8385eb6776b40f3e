import { beforeAll, expect, it } from 'vitest'
import { listFolders } from '#modules/folders/contract.ts'
import { getModel, putModel } from '#modules/registry/contract.ts'
import { createExperiment, getExperiment, moveExperiments } from '#modules/tracking/contract.ts'
import { eventually } from '../support/wait.ts'
import {
  admin,
  describeConsole,
  expectAccessible,
  expectNoSidewaysScroll,
  newPerson,
  openPage,
} from './support/console.ts'

const spec = { owner: 'ada', tier: 3, task: 'other' as const }
const strange = 'गहरे पेड़ (β) & more'

describeConsole('folders', () => {
  const experiments = new Map<string, string>()

  beforeAll(async () => {
    for (const [name, folder] of [
      ['cards', 'lab/risk'],
      ['loans <b>bold</b>', 'lab/risk'],
      ['phishing', 'lab/risk/fraud'],
      ['nets', `lab/${strange}`],
    ] as const) {
      experiments.set(name, (await admin.call(createExperiment, { name, folder })).experiment)
    }
    await admin.call(putModel, { model: 'card-risk', spec, folder: 'lab/risk' })
    await admin.call(putModel, { model: 'loan-risk', spec, folder: 'lab/risk/fraud' })
  })

  it('are opened one in the other, by keyboard too, and the address leads back to one', async () => {
    const page = await openPage('ada', '/experiments')
    const folders = page.getByRole('table', { name: 'Folders' })
    await folders.getByRole('link', { name: 'lab' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'lab' }).waitFor()
    await folders.getByRole('row', { name: /^risk .*3 experiments.*2 models$/ }).waitFor()
    await folders.getByRole('link', { name: strange }).waitFor()
    await page.getByText('All experiments here are in the folders above.').waitFor()
    await folders.getByRole('link', { name: 'risk' }).click()
    await page.getByRole('link', { name: 'cards', exact: true }).waitFor()
    expect(await page.getByRole('link', { name: 'phishing' }).count()).toBe(0)
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    await page.goto(page.url())
    await page.getByRole('link', { name: 'loans <b>bold</b>' }).waitFor()
    await page.getByRole('searchbox', { name: 'Search by name' }).fill('phish')
    const found = page.getByRole('table', { name: 'Experiments' }).getByRole('row', { name: /phishing/ })
    await found.getByText('in lab/risk/fraud').waitFor()
    await found.getByRole('link', { name: 'phishing' }).click()
    await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: 'fraud' }).click()
    await page.getByRole('heading', { level: 1, name: 'fraud' }).waitFor()
    // The number of the other kind leads to the other kind.
    await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: 'risk' }).click()
    await folders.getByRole('row', { name: /fraud/ }).getByRole('link', { name: '1 model' }).click()
    await page.getByRole('link', { name: 'loan-risk' }).waitFor()
    const wrong = await openPage('ada', '/models?folder=..%2F..')
    await wrong.getByText('folder is a path such as').first().waitFor()
  })

  it('take what is moved to them, and give it back', async () => {
    const page = await openPage('ada', '/experiments?folder=lab/risk')
    await page.getByRole('checkbox', { name: 'Choose cards' }).check()
    await page.getByRole('checkbox', { name: 'Choose loans <b>bold</b>' }).check()
    await page.getByRole('button', { name: 'Move …' }).click()
    const dialog = page.getByRole('dialog', { name: 'Move 2 experiments' })
    const path = dialog.getByRole('combobox', { name: 'Folder' })
    await path.fill('lab/')
    await page.getByRole('option', { name: `lab/${strange}` }).waitFor()
    await expectAccessible(page)
    await path.fill('lab//new')
    await dialog.getByRole('button', { name: 'Move', exact: true }).click()
    await dialog.getByText('a folder is a path such as').first().waitFor()
    await path.fill('lab/new')
    await page.keyboard.press('Enter')
    await page.getByText('2 experiments moved to lab/new.').waitFor()
    const folderOf = async (name: string) =>
      (await admin.call(getExperiment, { experiment: experiments.get(name) ?? '' })).folder
    expect(await folderOf('cards')).toBe('lab/new')
    await page.getByRole('button', { name: 'Move back' }).click()
    await page.getByRole('link', { name: 'cards', exact: true }).waitFor()
    expect(await folderOf('cards')).toBe('lab/risk')

    const models = await openPage('ada', '/models?folder=lab/risk', { width: 390 })
    await models.getByRole('checkbox', { name: 'Choose card-risk' }).check()
    await models.getByRole('button', { name: 'Move …' }).click()
    await models.getByRole('combobox', { name: 'Folder' }).fill('lab/models')
    await models.getByRole('dialog').getByRole('button', { name: 'Move', exact: true }).click()
    await models.getByText('1 model moved to lab/models.').waitFor()
    expect((await admin.call(getModel, { model: 'card-risk' })).folder).toBe('lab/models')
    await expectAccessible(models)
    await expectNoSidewaysScroll(models)
  })

  it('are renamed with all that is in them, and to nothing that is there', async () => {
    const page = await openPage('ada', '/models?folder=lab/risk')
    await page.getByRole('button', { name: 'Rename folder' }).click()
    const dialog = page.getByRole('dialog', { name: 'Rename lab/risk' })
    await dialog.getByRole('textbox', { name: 'New path' }).fill(`lab/${strange}`)
    await dialog.getByRole('button', { name: 'Rename' }).click()
    await dialog.getByText(`There is a folder lab/${strange}`).first().waitFor()
    await dialog.getByRole('textbox', { name: 'New path' }).fill('2026')
    await dialog.getByRole('button', { name: 'Rename' }).click()
    await page.getByRole('heading', { level: 1, name: '2026' }).waitFor()
    await page.getByRole('table', { name: 'Folders' }).getByRole('link', { name: 'fraud' }).waitFor()
    const { folder } = await admin.call(listFolders, { folder: '2026' })
    expect(folder.all).toMatchObject({ experiments: 3 })
    const typed = await openPage('ada', '/experiments?folder=2026')
    await typed.getByRole('link', { name: 'cards', exact: true }).waitFor()
    // What others move meanwhile is seen without a reload.
    await admin.call(moveExperiments, { experiments: [experiments.get('cards') ?? ''], folder: '2026/fraud' })
    await eventually(async () => (await typed.getByRole('link', { name: 'cards', exact: true }).count()) === 0)
    const { name } = await newPerson('folder-viewer', 'viewer')
    const viewer = await openPage(name, '/experiments?folder=2026')
    await viewer.getByRole('link', { name: /^loans/ }).waitFor()
    expect(await viewer.getByRole('button', { name: 'Rename folder' }).count()).toBe(0)
    expect(await viewer.getByRole('checkbox').count()).toBe(0)
  })
})
