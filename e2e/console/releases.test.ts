import { beforeAll, expect, it } from 'vitest'
import { putModel, registerVersion } from '#modules/registry/contract.ts'
import {
  advanceRelease,
  getEndpoint,
  listReleases,
  putEndpoint,
  rollbackRelease,
  startRelease,
} from '#modules/releases/contract.ts'
import { listServedSpans } from '#modules/releases/served-contract.ts'
import { linearModel } from '#testing/onnx.ts'
import { eventually } from '../support/wait.ts'
import {
  admin,
  describeConsole,
  expectAccessible,
  expectNoSidewaysScroll,
  openPage,
  shot,
  stage,
} from './support/console.ts'

const signature = {
  inputs: [{ name: 'features', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'score', datatype: 'FP32' as const, shape: [-1, 1] }],
}

/** An endpoint with a first version that serves and a second that may be released. */
async function prepare(name: string): Promise<{ environment: string; endpoint: string }> {
  const on = { environment: 'prod', endpoint: name }
  await admin.call(putModel, { model: name, spec: { owner: 'ada', tier: 4, task: 'regression' } })
  for (const weights of [
    [1, 1],
    [2, 2],
  ]) {
    const body = new Uint8Array(linearModel({ weights }))
    const { digest: artifact } = await (await admin.raw('POST', '/api/v1/objects', { body })).json()
    await admin.call(registerVersion, { model: name, artifact, signature, features: ['a', 'b'] })
  }
  const strategy = {
    steps: [
      { weight: '20%', requests: 30 },
      { weight: '50%', requests: 10_000 },
    ],
    guardrails: { errorRate: '10%' },
  }
  await admin.call(putEndpoint, { ...on, spec: { model: name, strategy } })
  await admin.call(startRelease, { ...on, version: `${name}@1` })
  await eventually(async () => (await ask(name).catch(() => undefined)) !== undefined)
  return on
}

/** The version that answers one request. */
async function ask(model: string): Promise<string | undefined> {
  const answer = await fetch(`${stage.inferenceUrl}/v2/models/${model}/infer`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stage.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] }),
  })
  return answer.ok ? (await answer.json()).model_version : undefined
}

describeConsole('a release', () => {
  beforeAll(async () => {
    await prepare('on-screen')
  })

  it('is started, moves on the screen while requests come, and is rolled back, and the node follows', async () => {
    const on = { environment: 'prod', endpoint: 'on-screen' }
    const page = await openPage('admin', '/endpoints/prod/on-screen')
    await page.getByText('Serves on-screen@1').waitFor()
    await page.getByRole('button', { name: 'Start a release' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('combobox', { name: 'Version' }).click()
    await page.getByRole('option', { name: 'on-screen@2' }).click()
    await dialog.getByText('It answers 20 % of the requests').waitFor()
    await dialog.getByLabel('What it is for').fill('Twice <b>as good</b>')
    await dialog.getByRole('button', { name: 'Start' }).click()
    await page.getByRole('heading', { name: 'Release under way: on-screen@2' }).waitFor()
    await page.getByText('Twice <b>as good</b>').first().waitFor()
    await page.getByText('0 of 30').waitFor()
    await expectAccessible(page)

    // No reload from here on: what happens arrives by itself.
    const asking = new AbortController()
    const traffic = (async () => {
      while (!asking.signal.aborted) await Promise.all(Array.from({ length: 20 }, () => ask('on-screen')))
    })()
    await page.locator('[aria-current="step"]', { hasText: '50 %' }).waitFor()
    asking.abort()
    await traffic
    await page.getByRole('cell', { name: 'Errors and fallbacks' }).waitFor()

    await page.getByRole('button', { name: 'Roll back' }).click()
    await page.getByLabel('Reason').fill('Twice is too much')
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click()
    await page.getByText('Rolled back: Twice is too much').waitFor()
    const { generation } = await admin.call(getEndpoint, on)
    await eventually(async () =>
      (await admin.call(getEndpoint, on)).nodes.every((one) => one.generation === generation),
    )
    await page.getByRole('row', { name: /current\s+generation/ }).waitFor()
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask('on-screen')))
    expect(new Set(answers)).toEqual(new Set(['1']))

    const { items } = await admin.call(listReleases, on)
    await page.goto(`/releases/${items[0]?.id}`)
    await page.getByText('Rolled back: Twice is too much').waitFor()
    await page.getByRole('table', { name: 'Ledger' }).getByText('start-release').waitFor()
    await expectAccessible(page)
  })

  it('says what answered at any moment, and which entries prove it', async () => {
    const on = await prepare('at-a-time')
    const { id } = await admin.call(startRelease, { ...on, version: 'at-a-time@2', note: 'try it' })
    await admin.call(advanceRelease, { release: id })
    await admin.call(rollbackRelease, { ...on, reason: 'slower' })
    const { generation } = await admin.call(getEndpoint, on)
    await eventually(async () =>
      (await admin.call(getEndpoint, on)).nodes.every((one) => one.generation === generation),
    )
    const { items } = await admin.call(listServedSpans, on)
    const page = await openPage('admin', `/endpoints/prod/at-a-time?at=${items[1]?.from}`)
    const answer = page.getByRole('region', { name: 'What answered at that moment' })
    await answer.getByText('canary at-a-time@2 50 %').waitFor()
    await answer.getByText('release moved on').waitFor()
    await answer.getByRole('table', { name: 'Nodes at that moment' }).waitFor()

    const changes = page.getByRole('table', { name: 'Changes of what answers' })
    await changes.getByRole('row', { name: /at-a-time@1 100 %.*until now.*rolled back.*slower/ }).waitFor()
    await changes
      .getByRole('row', { name: /started/ })
      .last()
      .getByRole('button')
      .click()
    await answer.getByText('primary at-a-time@1 100 %').waitFor()
    expect(new Date(new URL(page.url()).searchParams.get('at') ?? '').toISOString()).toBe(items.at(-1)?.from)
    await expectAccessible(page)

    // Before anything was released, by the keyboard: in the reader's own time.
    await page.getByLabel('At, in your time').fill('2020-02-01T12:00:00')
    await page.getByRole('button', { name: 'What answered?' }).click()
    await answer.getByText('Nothing had been released to it by then.').waitFor()
    expect(new URL(page.url()).searchParams.get('at')).toContain('2020-02-01T11:00:00')
    await changes.getByRole('link', { name: 'rolled back' }).click()
    await page.getByRole('heading', { level: 1, name: 'rollback-release' }).waitFor()
    await page.goto('/models/at-a-time/versions/2?tab=history')
    const times = page.getByRole('table', { name: 'When it answered' })
    await times.getByRole('row', { name: /prod\/at-a-time.*50 %.*canary/ }).waitFor()
    await times.getByRole('link', { name: 'prod/at-a-time' }).first().click()
    await answer.getByText('canary at-a-time@2 50 %').waitFor()
  })

  it('keeps what was typed when it is refused, and leads to the approval that another waits for', async () => {
    const page = await openPage('admin', '/endpoints/prod/flight-delays')
    await page.getByRole('button', { name: 'Start a release' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('combobox', { name: 'Version' }).click()
    await page.getByRole('option', { name: 'flight-delays@2' }).click()
    await dialog.getByText('gates failed').waitFor()
    await dialog.getByLabel('What it is for').fill('Let me try')
    await dialog.getByRole('button', { name: 'Start' }).click()
    await dialog.getByText('admission_denied').waitFor()
    expect(await dialog.getByLabel('What it is for').inputValue()).toBe('Let me try')

    await dialog.getByRole('combobox', { name: 'Version' }).click()
    await page.getByRole('option', { name: 'flight-delays@1' }).click()
    await dialog.getByText('gates passed').waitFor()
    await dialog.getByRole('button', { name: 'Start' }).click()
    await dialog.getByText('It waits for approval').waitFor()
    const request = await dialog.getByRole('link', { name: 'See the request' }).getAttribute('href')
    expect(request).toMatch(/^\/approvals\/[0-9a-f-]{36}$/)
    // Whoever asked may not decide, so the approver takes it off the table.
    const approver = await openPage('grace', request ?? '/approvals')
    const status = await approver.evaluate(async (pending) => {
      const headers = { 'content-type': 'application/json' }
      const path = `/api/v1/pending-operations/${pending}/reject`
      return (await fetch(path, { method: 'POST', headers, body: '{"comment":"only a test"}' })).status
    }, request?.split('/').at(-1))
    expect(status).toBe(200)
  })

  for (const scheme of ['light', 'dark'] as const) {
    it(`and its endpoint are accessible in ${scheme} colours and fit a phone`, async () => {
      const { items } = await admin.call(listReleases, { environment: 'prod', endpoint: 'flight-delays' })
      for (const path of ['/endpoints', '/endpoints/prod/flight-delays?every=day', `/releases/${items[0]?.id}`]) {
        const page = await openPage('admin', path, { scheme, width: scheme === 'light' ? 1280 : 390 })
        await page.getByText('flight-delays').first().waitFor()
        if (path.includes('every')) {
          await page.getByRole('img', { name: /^Answered rows by day: [\d,]+ rows in all/ }).waitFor()
          await page.getByRole('img', { name: /^AUC by week/ }).waitFor()
          await shot(page, scheme === 'light' ? 'endpoint' : 'endpoint-phone')
        }
        await expectAccessible(page)
        await expectNoSidewaysScroll(page)
      }
    })
  }
})
