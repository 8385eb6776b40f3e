import { beforeAll, expect, it } from 'vitest'
import { createAssessment, logSpans } from '#modules/traces/contract.ts'
import { createExperiment } from '#modules/tracking/contract.ts'
import { eventually } from '../support/wait.ts'
import { admin, describeConsole, expectAccessible, expectNoSidewaysScroll, openPage, shot } from './support/console.ts'

const hostile = '<img src=x onerror="document.title=1">'
const answered = `tr-${'a'.repeat(32)}`
const large = `tr-${'b'.repeat(32)}`
const manySpans = 33_000
const began = 1_700_000_000_000_000_000n
const idOf = (number: number) => (number + 1).toString(16).padStart(16, '0')

describeConsole('traces', () => {
  let experiment = ''

  beforeAll(async () => {
    experiment = (await admin.call(createExperiment, { name: 'assistant' })).experiment
    const span = (number: number, name: string, type: string, more: object = {}) => ({
      trace: answered,
      span: idOf(number),
      parent: number === 0 ? null : idOf(0),
      name,
      start: String(began + BigInt(number) * 100_000_000n),
      end: String(began + 900_000_000n),
      attributes: JSON.stringify({ 'mlflow.spanType': type, ...more }),
    })
    const spans = [
      span(0, `answer ${hostile}`, 'AGENT', {
        'mlflow.spanInputs': { messages: [{ role: 'user', content: `How late? ${hostile}` }] },
        'mlflow.spanOutputs': 'Ten minutes 🛫',
      }),
      span(1, 'retrieve', 'RETRIEVER', { 'mlflow.spanOutputs': [hostile] }),
      {
        ...span(2, 'generate', 'CHAT_MODEL', { 'mlflow.chat.tokenUsage': { input_tokens: 900, output_tokens: 100 } }),
        status: 'error' as const,
        message: 'out of words',
        events: [
          {
            name: 'exception',
            time: String(began + 300_000_000n),
            attributes: JSON.stringify({ 'exception.stacktrace': `at ${hostile}` }),
          },
        ],
      },
    ]
    await admin.call(logSpans, { experiment, spans })
    const elsewhere = {
      ...spans[0],
      trace: `tr-${'c'.repeat(32)}`,
      span: idOf(0),
      name: 'answer',
      start: '1',
      end: '2',
    }
    await admin.call(logSpans, { experiment: '0', spans: [elsewhere] })
    const source = { type: 'human' as const, id: 'grace' }
    const said = { name: 'helpful', kind: 'feedback' as const, value: 'yes', rationale: hostile, source }
    await admin.call(createAssessment, { trace: answered, ...said })
    const steps = Array.from({ length: manySpans }, (_, number) => ({
      trace: large,
      span: idOf(number),
      parent: number === 0 ? null : idOf(Math.floor((number - 1) / 50)),
      name: `step ${number}`,
      start: String(began + BigInt(number) * 1_000_000n),
      end: String(began + BigInt(number + 5) * 1_000_000n),
    }))
    for (let at = 0; at < steps.length; at += 3000) {
      await admin.call(logSpans, { experiment, spans: steps.slice(at, at + 3000) })
    }
  })

  it('are found by state, experiment and what their spans were', async () => {
    const page = await openPage('ada', `/traces?experiment=${experiment}`)
    const table = page.getByRole('table', { name: 'Traces' })
    const row = table.getByRole('row', { name: /answer/ })
    await row.getByText('1,000', { exact: true }).waitFor()
    await row.getByText(`How late? ${hostile}`).waitFor()
    await row.getByText('helpful: yes').waitFor()
    await page.getByRole('searchbox', { name: 'Filter' }).fill("span.name = 'generate' and span.status = 'ERROR'")
    await page.keyboard.press('Enter')
    await eventually(async () => (await table.getByRole('row').count()) === 2)
    await page.reload()
    await row.waitFor()
    await page.getByRole('searchbox', { name: 'Filter' }).fill('span.name =')
    await page.keyboard.press('Enter')
    await page.getByText(/At column/).waitFor()
    expect(await page.title()).not.toBe('1')
  })

  it('show what each span was given and made, as text alone, and the link to a span shows the same', async () => {
    const page = await openPage('ada', `/traces/${answered}`)
    const tree = page.getByRole('tree', { name: '3 spans' })
    await page.getByRole('region', { name: 'Inputs' }).getByText(hostile.replaceAll('"', '\\"')).waitFor()
    await tree.getByRole('treeitem', { name: /generate/ }).click()
    await page.getByText('out of words').waitFor()
    await page.getByRole('region', { name: /Event: exception after 100 ms/ }).waitFor()
    await shot(page, 'trace')
    await page.reload()
    await page.getByRole('heading', { name: 'generate' }).waitFor()
    await tree.focus()
    await page.keyboard.press('ArrowLeft')
    await page.getByRole('heading', { level: 2, name: /answer/ }).waitFor()
    await page.keyboard.press('ArrowLeft')
    expect(await tree.getByRole('treeitem').count()).toBe(1)
    await page.getByRole('table', { name: 'Assessments' }).getByText('a person: grace').waitFor()
    expect(await page.title()).not.toBe('1')
  })

  it(`of ${manySpans} spans open, and are gone through by keys`, async () => {
    const page = await openPage('ada', '/traces')
    await page.goto(`/traces/${large}`)
    const tree = page.getByRole('tree', { name: '33,000 spans' })
    await tree.getByRole('treeitem', { name: /^step 0\b/ }).waitFor()
    expect(await tree.getByRole('treeitem').count()).toBeLessThan(100)
    await tree.focus()
    await page.keyboard.press('End')
    await page.getByRole('heading', { level: 2, name: 'step 2550' }).waitFor()
    await tree.getByRole('treeitem', { selected: true }).waitFor()
  })

  it.each(['light', 'dark'] as const)('are accessible in %s, and fit a phone', async (scheme) => {
    for (const path of ['/traces', `/traces/${answered}`]) {
      await expectAccessible(await openPage('ada', path, { scheme }))
      await expectNoSidewaysScroll(await openPage('ada', path, { scheme, width: 390 }))
    }
  })
})
