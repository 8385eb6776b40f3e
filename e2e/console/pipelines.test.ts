import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { getRun, listRuns, putPipeline, type RunState, startRun } from '#modules/pipelines/contract.ts'
import { eventually } from '../support/wait.ts'
import { admin, describeConsole, expectAccessible, expectNoSidewaysScroll, openPage, shot } from './support/console.ts'

const awkward = '<img src=x onerror="document.title=1"> & "深い木" 🌲'

/** Says a lot, waits for what it is told in its params, and fails unless it is told not to. */
async function declare(pipeline: string): Promise<void> {
  await admin.call(putPipeline, {
    pipeline,
    spec: {
      description: awkward,
      params: {
        lines: { type: 'int', default: 5, description: 'How much it says' },
        seconds: { type: 'int', default: 0 },
        works: { type: 'bool', default: false },
        greeting: { type: 'string' },
      },
      steps: [
        {
          name: 'talk',
          run: 'seq -f "line %g of the talk" 1 $PAVE_PARAM_LINES; printf "\\033[31mred\\033[0m\\n"; echo said > "$PAVE_OUTPUT_SAID"',
          outputs: ['said'],
          params: ['lines'],
        },
        {
          name: 'wait',
          run: 'for i in $(seq 1 $PAVE_PARAM_SECONDS); do echo "tick $i"; sleep 1; done',
          after: ['talk'],
          params: ['seconds'],
        },
        {
          name: 'work',
          run: 'echo "no such <b>airport</b>" >&2; test "$PAVE_PARAM_WORKS" = true || exit 3; cp "$PAVE_INPUT_SAID" "$PAVE_OUTPUT_DONE"',
          inputs: { said: 'steps.talk.said' },
          outputs: ['done'],
          params: ['works'],
          after: ['wait'],
        },
      ],
    },
  })
}

async function ended(run: string): Promise<RunState> {
  const { state } = await eventually(async () => {
    const now = await admin.call(getRun, { run })
    return now.state === 'queued' || now.state === 'running' ? undefined : now
  }, 100)
  return state
}

async function runOf(pipeline: string, params: Record<string, string | number | boolean>): Promise<string> {
  const { run } = await admin.call(startRun, { pipeline, params: { greeting: 'hello', ...params }, reason: awkward })
  return run
}

describeConsole('pipelines', () => {
  it('are listed with their last run, which shows its graph, its cache hits with reasons and what it made', async () => {
    const page = await openPage('ada', '/pipelines')
    await page.getByRole('link', { name: 'train-flight-delays' }).click()
    await page.getByRole('button', { name: /^register operation/ }).waitFor()
    await page.getByRole('cell', { name: 'mistaken candidate' }).waitFor()
    await page
      .getByRole('row', { name: /mistaken candidate/ })
      .getByRole('link')
      .first()
      .click()
    await page.getByText(/[1-9] of \d steps from the cache/).waitFor()
    await page.getByText('same code, params and inputs as run').first().waitFor()
    await page.getByText('param distance_unit changed').first().waitFor()
    await page.getByRole('link', { name: 'flight-delays@4' }).waitFor()
    await page
      .getByRole('button', { name: /^train/ })
      .first()
      .click()
    await page.getByRole('table', { name: 'Inputs and outputs' }).getByText('training', { exact: true }).waitFor()
    await page
      .getByText(/[\d.]+ (K|M)iB/)
      .first()
      .waitFor()
    await expectAccessible(page)
    await shot(page, 'pipeline-run')
  })

  it('a run is started from a form that keeps what was typed when it is refused', async () => {
    await declare('from-a-form')
    const page = await openPage('ada', '/pipelines/from-a-form')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    const form = page.getByRole('dialog')
    expect(await form.getByLabel('lines').inputValue()).toBe('5')
    await form.getByLabel('lines').fill('7')
    await form.getByLabel('Reason').fill('Because it is Monday')
    await expectAccessible(page)
    await form.getByRole('button', { name: 'Start the run' }).click()
    await form.getByText('param greeting has no value').first().waitFor()
    expect(await form.getByLabel('lines').inputValue()).toBe('7')
    expect(await form.getByLabel('Reason').inputValue()).toBe('Because it is Monday')
    await form.getByRole('textbox', { name: /^greeting/ }).fill('你好 🌲')
    await form.getByRole('button', { name: 'Start the run' }).click()
    await page.waitForURL('**/runs/*')
    await page.getByText('Because it is Monday').waitFor()
    const { items } = await admin.call(listRuns, { pipeline: 'from-a-form' })
    expect(items[0]).toMatchObject({ params: { lines: 7, greeting: '你好 🌲', works: false } })
    expect(await ended(items[0]?.run ?? '')).toBe('failed')
  })

  it('a failed run says what went wrong where, and is resumed without doing again what was done', async () => {
    await declare('resumed')
    const page = await openPage('ada', `/runs/${await runOf('resumed', {})}`)
    await page
      .getByRole('alert')
      .getByText(/Step work failed/)
      .waitFor()
    await page.getByLabel('Last lines of the step').getByText('no such <b>airport</b>').waitFor()
    await page.getByRole('region', { name: 'Log' }).getByText('no such <b>airport</b>').waitFor()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Resume in a new run' }).click()
    const form = page.getByRole('dialog')
    await form.getByRole('combobox', { name: 'works' }).click()
    await page.getByRole('option', { name: 'true' }).click()
    await form.getByRole('button', { name: 'Start the run' }).click()
    await page.getByRole('heading', { level: 1, name: /done/ }).waitFor()
    await page.getByText('1 of 3 steps from the cache').waitFor()
    await page.getByRole('button', { name: /^work/ }).first().click()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('row', { name: /^done/ }).getByRole('link', { name: 'Download' }).click(),
    ])
    expect(await text(await download.createReadStream())).toBe('said\n')
  })

  it('a log arrives while it is printed, and a run is cancelled with a reason', async () => {
    await declare('watched')
    const run = await runOf('watched', { seconds: 600 })
    const page = await openPage('ada', `/runs/${run}?step=wait`)
    const log = page.getByRole('region', { name: 'Log' })
    await log.getByText('tick 1', { exact: true }).waitFor()
    await log.getByText('tick 3', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Cancel the run' }).click()
    await page.getByRole('dialog').getByLabel('Reason').fill('It waits for nothing')
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the run' }).click()
    await page.getByRole('heading', { level: 1, name: /cancelled/ }).waitFor()
    expect(await ended(run)).toBe('cancelled')
    await page.getByRole('button', { name: 'Resume in a new run' }).waitFor()
  })

  it('a log of ten megabytes is read from its end, searched, and read back to its beginning', async () => {
    await declare('loud')
    const run = await runOf('loud', { lines: 500_000 })
    await ended(run)
    const page = await openPage('ada', `/runs/${run}?step=talk`)
    const log = page.getByRole('region', { name: 'Log' })
    await log.getByText('line 500000 of the talk').waitFor()
    await log.getByText('red', { exact: true }).waitFor()
    expect(await log.locator('pre > div').count()).toBeLessThan(200)
    await page.getByRole('searchbox', { name: 'Search in the log' }).fill('LINE 499000 OF')
    await log.getByText('line 499000 of the talk').waitFor()
    const earlier = page.getByRole('button', { name: /^Load earlier/ })
    await eventually(async () => {
      if ((await earlier.count()) === 0) return true
      // It goes when all is loaded, which may be between the two.
      await earlier.click({ timeout: 1_000 }).catch(() => undefined)
      return undefined
    })
    await page.getByRole('searchbox', { name: 'Search in the log' }).fill('line 1 of')
    await log.getByText('line 1 of the talk', { exact: true }).waitFor()
    expect(await log.locator('pre > div').count()).toBeLessThan(200)
  }, 120_000)

  it('a run that does not exist is said not to', async () => {
    const page = await openPage('ada', '/runs/00000000-0000-7000-8000-00000000beef')
    await page.getByText('There is no run 00000000-0000-7000-8000-00000000beef').waitFor()
    await page.goto('/pipelines?search=no-such-pipeline')
    await page.getByText('No pipeline matches.').waitFor()
  })

  for (const scheme of ['light', 'dark'] as const) {
    it(`is accessible in ${scheme} colours, and fits a phone`, async () => {
      await declare('looked-at')
      const run = await runOf('looked-at', {})
      await ended(run)
      const [trained] = (await admin.call(listRuns, { pipeline: 'train-flight-delays' })).items
      for (const width of [1280, 390]) {
        const page = await openPage('admin', '/pipelines', { scheme, width })
        const rooms = ['/pipelines/looked-at', `/runs/${run}`, `/runs/${trained?.run}?step=train`, '/pipelines']
        for (const path of rooms) {
          await page.goto(path)
          await page.getByRole('heading', { level: 1 }).waitFor()
          await eventually(async () => (await page.locator('.mantine-Skeleton-root').count()) === 0)
          expect(await page.locator('img[src="x"]').count()).toBe(0)
          await expectAccessible(page)
          await expectNoSidewaysScroll(page)
        }
      }
    }, 120_000)
  }
})
