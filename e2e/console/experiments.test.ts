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
    ['tables/scores.csv', 'class,score\n"cat, <b>big</b>",0.5\ndog,0.25\n'],
    ['tables/answers.json', '{"columns":["question","answer"],"data":[["how <i>far</i>?",12]]}'],
    [
      'plots/curve.svg',
      '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><script>top.document.title=1</script></svg>',
    ],
    ['plots/square.png', Uint8Array.from(Buffer.from(picture, 'base64'))],
  ] as const
  for (const [path, body] of files) await admin.call(recordArtifact, { owner: run, path, ...(await upload(body)) })
  await admin.call(updateTrackingRun, { run, status: 'finished' })
  return run
}

const sweepSize = 150

/** Runs of a search, most of them within the first; what `lr` does is plain, what `kind` does is nothing. */
async function trackSweep(experiment: string): Promise<void> {
  const one = async (index: number, parent?: string) => {
    const tags = {
      ...(parent !== undefined && index % 2 === 0 && { 'mlflow.parentRunId': parent.replaceAll('-', '') }),
      'mlflow.source.git.commit': index < 75 ? 'a1b2c3' : 'd4e5f6',
    }
    const name = `sweep-${String(index).padStart(3, '0')}`
    const startedAt = new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString()
    const { run } = await admin.call(createTrackingRun, { experiment, name, tags, startedAt })
    const lr = 0.001 * 1.05 ** index
    await admin.call(logRunData, {
      run,
      metrics: [{ key: 'auc', value: 0.5 + index / 500, timestamp: 0 }],
      params: { lr: lr.toPrecision(4), kind: index % 3 === 0 ? 'net' : 'trees' },
    })
    return run
  }
  const parent = await one(0)
  for (let index = 1; index < sweepSize; index += 10) {
    const batch = Array.from({ length: Math.min(10, sweepSize - index) }, (_, at) => one(index + at, parent))
    await Promise.all(batch)
  }
}

describeConsole('experiments', () => {
  let experiment = ''
  let sweep = ''
  let runs: string[] = []

  beforeAll(async () => {
    experiment = (await admin.call(createExperiment, { name: 'hyper-parameters 🌲 <b>of trees</b>' })).experiment
    runs = []
    for (const [index, name] of names.entries()) runs.push(await track(experiment, name, index))
    sweep = (await admin.call(createExperiment, { name: 'sweep' })).experiment
    await trackSweep(sweep)
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
    await page.getByRole('button', { name: 'Columns (5)' }).click()
    await page.getByRole('checkbox', { name: 'param.depth' }).uncheck()
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
    await page.getByRole('button', { name: 'Compare 2 chosen' }).click()
    await page.getByRole('img', { name: /^auc by step of baseline, .*深い木/ }).waitFor()
    await page.getByRole('combobox', { name: 'Metric' }).click()
    await page.getByRole('option', { name: 'val/loss' }).click()
    const again = await openPage('ada', new URL(page.url()).pathname + new URL(page.url()).search)
    await again.getByRole('img', { name: /^val\/loss by step of baseline/ }).waitFor()
    await again.locator('svg path').first().waitFor()
    await again.getByText('Seconds').click()
    await again.getByRole('slider', { name: 'Smoothing' }).focus()
    for (const key of ['ArrowRight', 'ArrowRight']) await again.keyboard.press(key)
    await again.getByRole('img', { name: /^val\/loss by time of baseline/ }).waitFor()
    await again.waitForURL(/smooth=0\.02/)
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
    const page = await openPage('ada', `/experiments/${experiment}?tab=compare&chart=values&compare=${runs.join()}`)
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
    await page.getByRole('button', { name: 'curve.svg' }).click()
    const drawing = page.getByRole('img', { name: 'curve.svg' })
    await eventually(() => drawing.evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth === 20))
    expect(await page.title()).toContain('Pave')
  })

  it('shows tables among the files as tables', async () => {
    const page = await openPage('ada', `/tracking-runs/${runs[1]}?tab=artifacts&directory=tables`)
    await page.getByRole('button', { name: 'scores.csv' }).click()
    const scores = page.getByRole('table', { name: 'Content of tables/scores.csv' })
    await scores.getByRole('row', { name: 'cat, <b>big</b> 0.5' }).waitFor()
    await page.getByText('2 rows').waitFor()
    await page.getByRole('button', { name: 'answers.json' }).click()
    const answers = page.getByRole('table', { name: 'Content of tables/answers.json' })
    await answers.getByRole('row', { name: 'how <i>far</i>? 12' }).waitFor()
  })

  it('brings the runs of a long table as one scrolls, and keeps what was ticked', async () => {
    const page = await openPage('ada', `/experiments/${sweep}?nested=false`)
    const table = page.getByRole('table', { name: 'Runs', exact: true })
    await page.getByLabel('Compare sweep-149').check()
    await page.getByText('150 runs').waitFor()
    expect(await table.locator('tbody tr').count()).toBeLessThan(80)
    const frame = page.getByRole('region', { name: 'Runs, to scroll' })
    await eventually(async () => {
      await frame.evaluate((element) => element.scrollTo({ top: element.scrollHeight }))
      return (await table.getByRole('link', { name: 'sweep-000' }).count()) === 1
    })
    expect(await table.getByRole('link', { name: 'sweep-149' }).count()).toBe(0)
    await page.getByLabel('Compare sweep-000').check()
    await page.getByRole('button', { name: 'Compare 2 chosen' }).waitFor()
    await table.getByRole('button', { name: 'metric.auc' }).click()
    await table.getByRole('columnheader', { name: 'metric.auc' }).and(page.locator('[aria-sort=descending]')).waitFor()
    await eventually(async () => (await table.locator('tbody a').first().textContent()) === 'sweep-149')
    expect(await frame.evaluate((element) => element.scrollTop)).toBe(0)
    expect(await page.getByLabel('Compare sweep-149').isChecked()).toBe(true)
  })

  it('shows runs under the one that began them', async () => {
    const page = await openPage('ada', `/experiments/${sweep}`)
    const table = page.getByRole('table', { name: 'Runs', exact: true })
    await table.getByRole('link', { name: 'sweep-149' }).waitFor()
    // The run that began the others is on a later page, and read by itself.
    await table.getByRole('link', { name: 'sweep-148' }).waitFor({ state: 'detached' })
    await table.getByRole('button', { name: 'Runs within sweep-000' }).click()
    await table.getByRole('link', { name: 'sweep-148' }).waitFor()
    await page.reload()
    await table.getByRole('link', { name: 'sweep-148' }).waitFor()
  })

  it('groups runs by a param, and leads to the runs of a group', async () => {
    const page = await openPage('ada', `/experiments/${sweep}`)
    await page.getByRole('combobox', { name: 'Group by' }).click()
    await page.getByRole('option', { name: 'param.kind' }).click()
    const groups = page.getByRole('table', { name: 'Runs by group' })
    await groups.getByRole('row', { name: /^net 50 0\.647 0\.5 … 0\.794/ }).waitFor()
    await groups.getByRole('button', { name: 'trees' }).click()
    await page.getByText('100 runs', { exact: true }).waitFor()
    expect(await page.getByRole('searchbox', { name: 'Filter' }).inputValue()).toBe("params.`kind` = 'trees'")
  })

  it('compares all runs that are found: by lines, by points, by what matters and by their code', async () => {
    const page = await openPage('ada', `/experiments/${sweep}?tab=compare&chart=parallel&filter=metrics.auc>=0.6`)
    await page.getByText('All 100 runs that are found.').waitFor()
    const axis = page.locator('[data-axis="metric.auc"]')
    await axis.hover({ position: { x: 14, y: 163 } })
    await page.mouse.down()
    await axis.hover({ position: { x: 14, y: 1 } })
    await page.mouse.up()
    await page.getByText(/^5\d runs of 100 within what is marked/).waitFor()
    await page.getByRole('button', { name: /^Go on with these 5\d/ }).click()
    await page.getByText(/^5\d runs that were ticked/).waitFor()
    await page.goBack()
    await page.getByText(/^5\d runs of 100 within/).waitFor()
    await page.getByRole('tab', { name: 'Scatter' }).click()
    await page.getByRole('img', { name: 'metric.auc over param.kind of 100 runs' }).waitFor()
    await page.getByRole('tab', { name: 'Importance' }).click()
    const importance = page.getByRole('table', { name: 'Parameter importance' })
    expect(await importance.locator('tbody tr').first().textContent()).toMatch(/^lr9\d/)
    await importance.getByText('+1.00').first().waitFor()
    await page.getByRole('tab', { name: 'Code and environment' }).click()
    await page.getByText('They have nothing that differs.').waitFor()
    await page.getByLabel('Also what is the same').check()
    await page
      .getByRole('table', { name: 'Code of the runs' })
      .getByRole('row', { name: /^Git commit d4e5f6/ })
      .waitFor()
  })

  it('keeps views and notes for everybody, and says what a run lacks to be made again', async () => {
    const page = await openPage('ada', `/experiments/${sweep}?order=-metric.auc&filter=metrics.auc>0.7`)
    await page.getByRole('button', { name: 'Views (0)' }).click()
    await page.getByLabel('Save this page as').fill('best first')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByRole('button', { name: 'Views (1)' }).waitFor()
    await page.getByRole('button', { name: 'Rename best first' }).click()
    await page.getByLabel('New name of best first').fill('the best')
    await page.getByRole('button', { name: 'Rename', exact: true }).click()
    await page.getByRole('button', { name: 'Delete the best' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Add a note' }).click()
    await page.getByRole('textbox', { name: 'Note' }).fill('# Sweep\n<img src=x onerror="document.title=1">')
    await page.getByRole('button', { name: 'Save the note' }).click()
    await page.getByRole('button', { name: 'Edit the note' }).waitFor()
    const other = await openPage('grace', `/experiments/${sweep}`)
    await other.getByText('<img src=x onerror="document.title=1">').waitFor()
    await other.getByText('150 runs').waitFor()
    await other.getByRole('button', { name: 'Views (1)' }).click()
    await other.getByRole('button', { name: 'the best', exact: true }).click()
    await other.getByText('49 runs', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Views (1)' }).click()
    await page.getByRole('button', { name: 'Delete the best' }).click()
    await page.getByRole('button', { name: 'Views (0)' }).waitFor()
    await page.goto(`/tracking-runs/${runs[0]}?tab=reproduce`)
    const answers = page.getByRole('table', { name: 'Can this be reproduced?' })
    await answers.getByRole('row', { name: /^Params yes depth, model.kind/ }).waitFor()
    await answers.getByRole('row', { name: /^Data missing mlflow\.log_input/ }).waitFor()
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
          `/experiments/${experiment}?tab=compare&compare=${runs[0]},${runs[4]}`,
          `/experiments/${experiment}?tab=compare&chart=values&compare=${runs[0]},${runs[4]}`,
          `/experiments/${sweep}?group=param.kind`,
          `/experiments/${sweep}?tab=compare&chart=parallel`,
          `/experiments/${sweep}?tab=compare&chart=scatter`,
          `/experiments/${sweep}?tab=compare&chart=importance`,
          `/experiments/${sweep}?tab=compare&chart=origin`,
          `/tracking-runs/${runs[1]}?tab=reproduce`,
          `/tracking-runs/${runs[1]}?tab=artifacts&file=tables/scores.csv`,
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
    }, 240_000)
  }
})
