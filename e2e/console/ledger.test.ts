import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { listEntries } from '#platform/kernel/contract.ts'
import { cli } from '../support/start-pave.ts'
import {
  admin,
  describeConsole,
  expectAccessible,
  expectNoSidewaysScroll,
  openPage,
  shot,
  stage,
} from './support/console.ts'

async function someEntry(): Promise<string> {
  const { items } = await admin.call(listEntries, { operation: 'register-version', outcome: 'done', limit: 1 })
  if (items[0] === undefined) throw new Error('the demo registered no version')
  return items[0].id
}

describeConsole('the ledger', () => {
  it('is filtered by operation, outcome and person, in an address that can be sent', async () => {
    const page = await openPage('admin', '/ledger')
    const rows = page.getByRole('table', { name: 'Ledger entries' }).getByRole('row')
    await rows.nth(20).waitFor()
    await page.getByLabel('Operation, such as start-release').fill('approve')
    await page.waitForURL('**/ledger?operation=approve')
    await page.getByRole('combobox', { name: 'By whom' }).fill('grace')
    await page.getByRole('option', { name: 'grace' }).click()
    await page.waitForURL('**actor=**')
    await page.getByRole('table').getByText('create-sign-in-link').waitFor({ state: 'hidden' })
    expect(await rows.filter({ hasText: 'grace' }).count()).toBeGreaterThan(0)
    expect(await rows.filter({ hasText: 'admin' }).count()).toBe(0)
    const sent = await openPage('admin', page.url())
    expect(await sent.getByLabel('Operation, such as start-release').inputValue()).toBe('approve')
    await sent.getByRole('table').getByText('grace').first().waitFor()
    expect(await sent.getByRole('combobox', { name: 'By whom' }).inputValue()).toBe('grace')
  })

  for (const [scheme, width] of [
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
  ] as const) {
    it(`is accessible in ${scheme} colours at ${width} pixels`, async () => {
      const page = await openPage('admin', '/ledger', { scheme, width })
      await page.getByRole('table').getByRole('link').first().waitFor()
      await expectAccessible(page)
      await expectNoSidewaysScroll(page)
      await page.goto(`/ledger/${await someEntry()}`)
      await page.getByText('Verified in this browser').waitFor()
      await page.getByText('The proof, and how to check it without Pave').click()
      await expectAccessible(page)
      await expectNoSidewaysScroll(page)
    })
  }
})

describeConsole('the proof of an entry', () => {
  it('is verified in the browser, and each one continues the ledger that this browser saw before', async () => {
    const page = await openPage('admin', `/ledger/${await someEntry()}`)
    await page.getByText('Verified in this browser').waitFor()
    await page.getByText('This browser has seen no earlier checkpoint').waitFor()
    await shot(page, 'ledger-proof')
    // Reading it again: the first visit's sign-in has made the ledger longer meanwhile.
    await page.reload()
    await page.getByText(/All \d+ entries that this browser saw signed before are still in it/).waitFor()
    await page.getByText('Verified in this browser').waitFor()
  })

  it('can be saved, and checked with the public key alone', async () => {
    const page = await openPage('admin', `/ledger/${await someEntry()}`)
    const saving = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Download the proof' }).click()
    const directory = await mkdtemp(join(tmpdir(), 'pave-proof-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const file = join(directory, 'proof.json')
    await (await saving).saveAs(file)
    const key = join(stage.dataDir, 'keys', 'ledger.pub')
    const args = [cli, 'ledger', 'verify', '--proof', file, '--key', key]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    expect(stdout).toMatch(/"operation":"register-version"/)
    expect(stdout).toMatch(/leaf \d+ of the \d+ entries that pave\.ledger\/\w+ signed: verified/)
  })

  it('is shown as not verified when the entry, the path or the past was tampered with', async () => {
    const id = await someEntry()
    const altered: Record<string, (proof: Record<string, unknown>) => object> = {
      'The entry does not hold': (proof) => ({
        body: String(proof['body']).replace('register-version', 'delete-version'),
      }),
      'Its place in the tree does not hold': (proof) => ({ leaf: Number(proof['leaf']) - 1 }),
      'The signature of the tree does not hold': (proof) => ({
        checkpoint: String(proof['checkpoint']).replace(/\n(\d)(\d*)\n/, '\n1$1$2\n'),
        size: Number(`1${proof['size']}`),
      }),
      'What was signed before does not hold': () => ({ consistency: { from: 1, path: [] } }),
    }
    for (const [told, alter] of Object.entries(altered)) {
      const page = await openPage('admin', `/ledger/${id}`)
      await page.getByText('Verified in this browser').waitFor()
      await page.route('**/proof*', async (route) => {
        const proof = await (await route.fetch()).json()
        await route.fulfill({ json: { ...proof, ...alter(proof) } })
      })
      await page.reload()
      await page.getByText('Not verified: this is not what the ledger signed').waitFor()
      await page.getByText(told).waitFor()
      expect(await page.getByText('Verified in this browser').count(), told).toBe(0)
      await expectAccessible(page)
    }
  })
})
