import { beforeAll, expect, it } from 'vitest'
import {
  createExperiment,
  createTrackingRun,
  logRunData,
  recordArtifact,
  updateTrackingRun,
} from '#modules/tracking/contract.ts'
import { eventually } from '../support/wait.ts'
import { admin, describeConsole, expectAccessible, expectNoSidewaysScroll, openPage } from './support/console.ts'

const names = [
  'baseline',
  '<img src=x onerror="document.title=1">',
  '深い木 🌲🌲',
  'ليلة طويلة',
  `a name that goes on ${'and on '.repeat(30)}`,
]
/** Ten by ten pixels of one colour. */
const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAE0lEQVR4nGP8z4APMOGVHbHSAEEsAROxCnMTAAAAAElFTkSuQmCC'

async function upload(body: string | Uint8Array<ArrayBuffer>): Promise<{ digest: string; size: number }> {
  return (await admin.raw('POST', '/api/v1/objects', { body })).json()
}

async function track(experiment: string, name: string, index: number): Promise<string> {
  const { run } = await admin.call(createTrackingRun, { experiment, name, tags: { team: names[1] ?? '' } })
  const curve = Array.from({ length: 50 }, (_, step) => [
    { key: 'auc', value: 0.8 - 0.3 * Math.exp(-step / (8 + index)), step, timestamp: step },
    { key: 'val/loss', value: 0.3 + 0.4 * Math.exp(-step / (6 + index)), step, timestamp: step },
  ]).flat()
  const best = { key: 'best', value: index === 1 ? ('NaN' as const) : 0.7 + index / 100, timestamp: 0 }
  await admin.call(logRunData, {
    run,
    metrics: [...curve, best],
    params: { depth: String(4 + index), 'model.kind': 'trees' },
  })
  const files = [
    ['report.json', `{"auc":${0.7 + index / 100},"note":"<b>bold</b>"}`],
    ['notes/read me.txt', 'Hello <script>alert(1)</script>'],
    ['plots/square.png', Uint8Array.from(Buffer.from(picture, 'base64'))],
  ] as const
  for (const [path, body] of files) await admin.call(recordArtifact, { owner: run, path, ...(await upload(body)) })
  await admin.call(updateTrackingRun, { run, status: 'finished' })
  return run
}

describeConsole('experiments', () => {
  let experiment = ''
  let runs: string[] = []

  beforeAll(async () => {
    experiment = (await admin.call(createExperiment, { name: 'hyper-parameters 🌲 <b>of trees</b>' })).experiment
    runs = []
    for (const [index, name] of names.entries()) runs.push(await track(experiment, name, index))
  })

  it('are found by name, and show their runs in columns that the address keeps', async () => {
    const page = await openPage('ada', '/experiments')
    await page.getByRole('searchbox', { name: 'Search by name' }).fill('HYPER')
    const row = page.getByRole('row', { name: /hyper-parameters/ })
    await row.getByRole('cell', { name: '5', exact: true }).waitFor()
    await row.getByRole('link').click()
    const table = page.getByRole('table', { name: 'Runs' })
    for (const name of names.slice(0, 4)) await table.getByRole('link', { name, exact: true }).waitFor()
    await page.getByRole('button', { name: 'metric.best' }).click()
    await eventually(async () => (await table.getByRole('link').first().textContent())?.startsWith('a name') === true)
    await page.getByRole('button', { name: 'metric.best' }).click()
    await eventually(async () => (await table.getByRole('link').first().textContent()) === 'baseline')
    await page.getByRole('combobox', { name: 'Columns' }).click()
    await page.getByRole('option', { name: 'param.depth' }).click()
    await page.keyboard.press('Escape')
    await page.reload()
    await table.getByRole('columnheader', { name: 'metric.best' }).waitFor()
    expect(await table.getByRole('columnheader', { name: 'param.depth' }).count()).toBe(0)
    await page.getByRole('searchbox', { name: 'Search by name' }).fill('深い')
    await page.getByText('1 run', { exact: false }).waitFor()
  })

  it('compares the curves of a few runs, and the link to that shows the same', async () => {
    const page = await openPage('ada', `/experiments/${experiment}`)
    for (const name of ['baseline', '深い木 🌲🌲']) await page.getByLabel(`Compare ${name}`).check()
    await page.getByRole('img', { name: /^auc by step of baseline, .*深い木/ }).waitFor()
    await page.getByRole('combobox', { name: 'Metric' }).click()
    await page.getByRole('option', { name: 'val/loss' }).click()
    const again = await openPage('ada', new URL(page.url()).pathname + new URL(page.url()).search)
    await again.getByRole('img', { name: /^val\/loss by step of baseline/ }).waitFor()
    await again.locator('svg path').first().waitFor()
    await expectAccessible(again)
  })

  it('finds runs by a filter of MLflow, and keeps one that cannot be read', async () => {
    const page = await openPage('ada', `/experiments/${experiment}`)
    const filter = page.getByRole('searchbox', { name: 'Filter' })
    await filter.fill("metrics.best > 0.725 and params.`model.kind` = 'trees' and status = 'FINISHED'")
    await filter.press('Enter')
    const table = page.getByRole('table', { name: 'Runs', exact: true })
    await table.getByRole('link', { name: 'baseline' }).waitFor({ state: 'detached' })
    const found = () => table.locator('tbody a').allTextContents()
    await page.reload()
    await eventually(async () => (await found()).join() === [names[4], names[3]].join())
    await filter.fill('metrics.best >')
    await filter.press('Enter')
    await page.getByText('run_search_invalid').waitFor()
    await expectAccessible(page)
    await page.reload()
    await page.getByText('run_search_invalid').waitFor()
    expect(await filter.inputValue()).toBe('metrics.best >')
  })

  it('shows what differs between runs side by side', async () => {
    const page = await openPage('ada', `/experiments/${experiment}?compare=${runs.join()}`)
    const table = page.getByRole('table', { name: 'Runs side by side' })
    await table.getByRole('row', { name: 'param.depth 4 5 6 7 8' }).waitFor()
    await table.getByRole('row', { name: 'metric.best 0.7 NaN 0.72 0.73 0.74' }).waitFor()
    expect(await table.getByRole('row', { name: /model.kind/ }).count()).toBe(0)
    await page.getByLabel('Also what is the same').check()
    await table.getByRole('row', { name: 'param.model.kind trees trees trees trees trees' }).waitFor()
  })

  it('a run shows its curves, params and files, each name as the text that it is', async () => {
    const page = await openPage('ada', `/tracking-runs/${runs[1]}`)
    await page.getByRole('heading', { level: 1, name: names[1] ?? '' }).waitFor()
    await page.getByRole('img', { name: /^auc over 50 points/ }).waitFor()
    await page.getByText('best NaN', { exact: true }).waitFor()
    await page.getByRole('tab', { name: 'Params and tags' }).click()
    await page.getByRole('cell', { name: 'model.kind' }).waitFor()
    await page.getByRole('tab', { name: 'Artifacts' }).click()
    await page.getByRole('button', { name: 'report.json' }).click()
    await page.getByLabel('Content of report.json').getByText('"note": "<b>bold</b>"').waitFor()
    await page.getByRole('button', { name: 'notes/' }).click()
    await page.getByRole('button', { name: 'read me.txt' }).click()
    await page.getByText('Hello <script>alert(1)</script>').waitFor()
    await page.getByRole('button', { name: 'artifacts' }).click()
    await page.getByRole('button', { name: 'plots/' }).click()
    await page.getByRole('button', { name: 'square.png' }).click()
    const shown = page.getByRole('img', { name: 'square.png' })
    await eventually(() => shown.evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth === 10))
    expect(await page.locator('img[src="x"]').count()).toBe(0)
    await page.goBack()
    await shown.waitFor({ state: 'detached' })
  })

  it('a tracked run is found where a pipeline run is looked for', async () => {
    const page = await openPage('ada', `/runs/${runs[0]}`)
    await page.waitForURL(`**/tracking-runs/${runs[0]}`)
    await page.getByRole('heading', { level: 1, name: 'baseline' }).waitFor()
  })

  it('says what is missing, and how to get it', async () => {
    const { experiment: empty } = await admin.call(createExperiment, { name: 'nothing yet' })
    const page = await openPage('ada', `/experiments/${empty}`)
    await page.getByText('No run yet').waitFor()
    await page.goto('/experiments?search=no-such-thing')
    await page.getByText('No experiment matches.').waitFor()
    await page.goto('/experiments/999999')
    await page.getByRole('alert').first().waitFor()
  })

  for (const scheme of ['light', 'dark'] as const) {
    it(`is accessible in ${scheme} colours, and fits a phone`, async () => {
      for (const width of [1280, 390]) {
        const page = await openPage('admin', '/experiments', { scheme, width })
        const rooms = [
          `/experiments/${experiment}?compare=${runs[0]},${runs[4]}`,
          `/tracking-runs/${runs[4]}`,
          `/tracking-runs/${runs[1]}?tab=params`,
          `/tracking-runs/${runs[1]}?tab=artifacts&file=report.json`,
          `/tracking-runs/${runs[1]}?tab=history`,
          '/experiments',
        ]
        for (const path of rooms) {
          await page.goto(path)
          await page.getByRole('heading', { level: 1 }).waitFor()
          await eventually(async () => (await page.locator('.mantine-Skeleton-root').count()) === 0)
          await expectAccessible(page)
          await expectNoSidewaysScroll(page)
        }
      }
    }, 120_000)
  }
})
