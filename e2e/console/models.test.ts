import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { getVersion, putModel, registerVersion, setAlias } from '#modules/registry/contract.ts'
import { listEntries } from '#platform/kernel/contract.ts'
import { linearModel } from '#testing/onnx.ts'
import { eventually } from '../support/wait.ts'
import { admin, describeConsole, expectAccessible, expectNoSidewaysScroll, openPage, shot } from './support/console.ts'

const signature = {
  inputs: [{ name: 'features', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'score', datatype: 'FP32' as const, shape: [-1, 1] }],
}

const awkward = '<img src=x onerror="document.title=1"> & "深い木" 🌲 ليلة'

async function prepare(model: string, versions: number): Promise<void> {
  await admin.call(putModel, {
    model,
    spec: { owner: awkward, tier: 4, task: 'regression', description: awkward, tags: { team: awkward } },
  })
  for (let n = 1; n <= versions; n++) {
    const body = new Uint8Array(linearModel({ weights: [n, n] }))
    const { digest: artifact } = await (await admin.raw('POST', '/api/v1/objects', { body })).json()
    const slices = [{ slice: awkward, rows: 10, metrics: { mae: n } }]
    await admin.call(registerVersion, { model, artifact, signature, metrics: { mae: n }, slices, note: awkward })
  }
}

describeConsole('models', () => {
  it('are found by name, each with what serves where, and lead to their page', async () => {
    const page = await openPage('ada', '/models')
    const row = page.getByRole('row', { name: /flight-delays/ })
    await row.getByText('prod/flight-delays').waitFor()
    expect(await row.textContent()).toMatch(/ada\s*Tier 2\s*binary classification\s*@4/)
    await page.getByRole('searchbox', { name: /Search by name/ }).fill('FLIGHT-DEL')
    await page.waitForURL(/search=FLIGHT-DEL/)
    await page.getByText('1 model', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'flight-delays', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'flight-delays' }).waitFor()
    await page.getByRole('link', { name: 'fails 3 of 5' }).waitFor()
    await shot(page, 'model')
  })

  it('converts a model that has no graph, and says why that did not work', async () => {
    await admin.call(putModel, { model: 'bare', spec: { owner: 'ada', tier: 4, task: 'regression' } })
    const keep = async (body: string) => (await admin.raw('POST', '/api/v1/objects', { body })).json()
    const { digest: files } = await keep(JSON.stringify([{ path: 'model.pkl', ...(await keep('no model')) }]))
    await admin.call(registerVersion, { model: 'bare', files, flavors: ['python_function', 'sklearn'] })
    const page = await openPage('ada', '/models/bare/versions/1')
    await page.getByRole('heading', { name: 'ONNX twin' }).waitFor()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Convert to ONNX' }).click()
    await page.getByText('The files of bare@1 hold no MLmodel').waitFor()
    await page.getByRole('button', { name: 'Convert again' }).waitFor()
    await expectAccessible(page)
  })

  it('compares versions side by side: metrics with intervals, profiles, what differs', async () => {
    const page = await openPage('ada', '/models/flight-delays')
    for (const version of [2, 3]) await page.getByLabel(`Compare version ${version}`).check()
    await page.getByRole('link', { name: 'Compare 2 versions' }).click()
    await page.getByRole('heading', { name: 'Compare versions of flight-delays' }).waitFor()
    const auc = page.getByRole('table', { name: 'Metrics side by side' }).getByRole('row', { name: /^auc/ })
    expect(await auc.textContent()).toMatch(/0\.\d{4}\s*0\.\d{4} – 0\.\d{4}.*\+0\.\d{4} better/s)
    await page.getByRole('img', { name: /@2, distance: mean .*; @3, distance: mean/ }).waitFor()
    await page.getByRole('table', { name: 'Parameters of their runs' }).getByText('trees').waitFor()
    await expectAccessible(page)
    await shot(page, 'compare-versions')
  })

  it('shows a gate with its numbers, and who approved', async () => {
    const page = await openPage('grace', '/models/flight-delays/versions/2?tab=gates')
    const rule = page.getByRole('row', { name: /good_enough/ })
    expect(await rule.textContent()).toMatch(/failed.*version\.metrics\.auc >= 0\.70.*version\.metrics\.auc\s*0\.6986/s)
    await page.goto('/models/flight-delays/versions/3?tab=gates')
    await page.getByText('approved by grace').waitFor()
    await page.getByRole('tab', { name: 'Lineage' }).click()
    await page.getByRole('link', { name: 'flights@2' }).first().waitFor()
    await page.getByRole('tab', { name: 'Releases and history' }).click()
    await page.getByRole('table', { name: 'Releases' }).getByText('prod/flight-delays').first().waitFor()
  })

  it('has a card that names the limits, and lets the evidence be taken, which the ledger remembers', async () => {
    const page = await openPage('grace', '/models/flight-delays/versions/3/card')
    await page.getByText(/auc is worst on origin=/).waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Evidence, Markdown' }).click(),
    ])
    expect(download.suggestedFilename()).toBe('evidence-flight-delays@3.md')
    expect(await text(await download.createReadStream())).toMatch(/^# Evidence for flight-delays@3/)
    const { items } = await admin.call(listEntries, { operation: 'export-evidence', limit: 1 })
    expect(items[0]?.subjects).toContainEqual({ kind: 'version', id: 'flight-delays@3' })
  })

  it('moves an alias and undoes it; one that was moved meanwhile stays, with what was typed', async () => {
    await prepare('aliased', 3)
    const page = await openPage('admin', '/models/aliased')
    const at = async () => (await admin.call(getVersion, { version: 'aliased@champion' })).version
    const move = async (version: string) => {
      await page.getByPlaceholder('champion').fill('champion')
      await page.getByRole('combobox', { name: 'Version' }).click()
      await page.getByRole('option', { name: version, exact: true }).click()
      await page.getByRole('button', { name: /^(Set|Move from)/ }).click()
    }
    await move('1')
    await page.getByText('champion is aliased@1').waitFor()
    await move('2')
    await page.getByText('it was aliased@1').waitFor()
    await page.getByRole('button', { name: 'Undo', exact: true }).click()
    await page.getByText('champion is aliased@1').waitFor()
    expect(await at()).toBe(1)

    // Somebody else moves it before the page can know.
    await page.route('**/api/v1/models/aliased/aliases/champion', async (route) => {
      await admin.call(setAlias, { model: 'aliased', alias: 'champion', version: 3 })
      await route.continue()
      await page.unroute('**/api/v1/models/aliased/aliases/champion')
    })
    await move('2')
    await page.getByText('champion is at version 3, and no longer at version 1').waitFor()
    expect(await at()).toBe(3)
    expect(await page.getByPlaceholder('champion').inputValue()).toBe('champion')
    await page.getByRole('button', { name: 'Move from 3' }).click()
    await eventually(async () => (await at()) === 2)
  })

  it('tells who moved an alias, when and why, and takes the last move back with a reason', async () => {
    await prepare('told', 2)
    await admin.call(setAlias, { model: 'told', alias: 'champion', version: 1, reason: awkward })
    await admin.call(setAlias, { model: 'told', alias: 'champion', version: 2 })
    const page = await openPage('admin', '/models/told')
    const moves = page.getByRole('table', { name: 'Moves of aliases' })
    await moves.getByText(awkward).waitFor()
    await page.getByRole('button', { name: 'Undo the last move of champion' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('goes back to told@1 from told@2').waitFor()
    await dialog.getByLabel('Reason').fill('worse on Mondays')
    await expectAccessible(page)
    await dialog.getByRole('button', { name: 'Undo the move' }).click()
    await moves.getByRole('row', { name: /champion.*told@2.*told@1.*worse on Mondays/ }).waitFor()
    await moves.getByText('was taken back').waitFor()
    expect((await admin.call(getVersion, { version: 'told@champion' })).version).toBe(1)
    await moves
      .getByRole('row', { name: /worse on Mondays/ })
      .getByRole('link')
      .last()
      .click()
    await page.getByRole('heading', { level: 1, name: 'undo-alias-move' }).waitFor()
  })

  it('shows names of every script, and HTML as the text that it is', async () => {
    await prepare('awkward', 2)
    const page = await openPage('ada', '/models?search=awkward')
    await page.getByText(awkward).first().waitFor()
    for (const path of ['', '/versions/2', '/versions/2/card', '/compare?versions=1,2']) {
      await page.goto(`/models/awkward${path}`)
      await page.getByText(awkward).first().waitFor()
      expect(await page.locator('img[src="x"]').count()).toBe(0)
      await expectAccessible(page)
    }
  })

  it('says what is missing, and how to get it', async () => {
    await prepare('bare', 0)
    const page = await openPage('ada', '/models/bare')
    await page.getByText('No version is registered yet').waitFor()
    await page.goto('/models?search=no-such-model')
    await page.getByText('No model matches.').waitFor()
    await page.goto('/models/no-such-model')
    await page.getByRole('alert').getByText('There is no model no-such-model').waitFor()
    await page.goto('/models/flight-delays/compare?versions=nonsense')
    await page.getByText('Choose two versions or more').waitFor()
  })

  const rooms = [
    '/models',
    '/models/flight-delays',
    '/models/flight-delays/versions/3',
    '/models/flight-delays/versions/3?tab=data',
    '/models/flight-delays/versions/3?tab=gates',
    '/models/flight-delays/versions/3?tab=lineage',
    '/models/flight-delays/versions/3?tab=history',
    '/models/flight-delays/compare?versions=2,3,4',
    '/models/flight-delays/versions/3/card',
    '/policies',
    '/policies/flight-delays',
  ]

  for (const scheme of ['light', 'dark'] as const) {
    it(`is accessible in ${scheme} colours, and fits a phone`, async () => {
      const wide = await openPage('admin', '/models', { scheme })
      const phone = await openPage('admin', '/models', { scheme, width: 390 })
      for (const path of rooms) {
        for (const page of [wide, phone]) {
          await page.goto(path)
          await page.getByRole('heading', { level: 1 }).waitFor()
          await eventually(async () => (await page.locator('.mantine-Skeleton-root').count()) === 0)
          await expectAccessible(page)
          await expectNoSidewaysScroll(page)
        }
      }
    }, 120_000)
  }

  it('a policy shows its rules and what it said lately', async () => {
    const page = await openPage('grace', '/policies')
    await page.getByRole('link', { name: 'flight-delays' }).click()
    await page.getByText('version.worst_slice.auc >= 0.60').waitFor()
    await page.getByText('failed beats_baseline, good_enough, calibrated').waitFor()
  })
})
