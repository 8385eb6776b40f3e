import { mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { AxeResults } from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, inject, onTestFinished } from 'vitest'
import { createPrincipal, createSignInLink, createToken, type Role } from '#modules/identity/contract.ts'
import { type Client, createClient } from '#platform/surfaces/client.ts'
import type { Stage } from './global-setup.ts'

const found = inject('stage')

/** Like `describe`; without a browser its tests are skipped, and `npm run test:console` says why. */
export const describeConsole = 'missing' in found ? describe.skip : describe

/** Where the suite's Pave is. It holds the demo's data; tests that change things make their own beside it. */
export const stage: Stage =
  'missing' in found ? { browser: '', url: '', inferenceUrl: '', dataDir: '', adminToken: '' } : found

/** Everything that the administrator of the demo may do, for making what a test needs and looking at what it did. */
export const admin: Client = createClient({ url: stage.url, token: stage.adminToken })

export interface View {
  /** 1280 unless told; 390 is a phone. */
  width?: number
  scheme?: 'light' | 'dark'
  /** The suite's own Pave unless told. */
  at?: { url: string; admin: Client }
}

let browser: Browser | undefined
if (!('missing' in found)) {
  beforeAll(async () => {
    browser = await chromium.connect(found.browser)
  })
  afterAll(async () => browser?.close())
  afterEach(() => expect(pageErrors.splice(0), 'errors in the pages').toEqual([]))
}

/**
 * A page of a browser of its own, in which a principal (`admin`; `ada`, who builds; `grace`, who approves) has signed
 * in, or nobody. An error that a script of the page throws fails the test.
 */
export async function openPage(as: string | undefined, path = '/', view: View = {}): Promise<Page> {
  const { width = 1280, scheme = 'light', at = { url: stage.url, admin } } = view
  if (browser === undefined) throw new Error('openPage belongs into a test of describeConsole')
  const context = await browser.newContext({
    baseURL: at.url,
    viewport: { width, height: width < 600 ? 844 : 900 },
    colorScheme: scheme,
    reducedMotion: 'reduce',
    timezoneId: 'Europe/Zurich',
    locale: 'en-GB',
    hasTouch: width < 600,
  })
  onTestFinished(() => context.close())
  if (as !== undefined) await signIn(context, as, at)
  const page = await context.newPage()
  page.on('pageerror', (error) => {
    pageErrors.push(error)
  })
  await page.goto(path)
  if (as !== undefined) await page.getByRole('heading', { level: 1 }).first().waitFor()
  return page
}

const pageErrors: Error[] = []

/** With a one-time link, as people do; their browser keeps the cookie. */
async function signIn(context: BrowserContext, as: string, at: { url: string; admin: Client }): Promise<void> {
  const { code } = await at.admin.call(createSignInLink, { principal: as })
  const answer = await context.request.post(`${at.url}/console/session`, { data: { code } })
  if (!answer.ok()) throw new Error(`${as} could not sign in: ${await answer.text()}`)
}

/** The page shows what it has read until now, whatever others change: news of it no longer arrive. */
export async function hearNoMore(page: Page): Promise<void> {
  await page.route('**/api/v1/events', (route) => route.abort())
  await page.reload()
}

/** Fails with what axe finds serious or critical on the page. */
export async function expectAccessible(page: Page): Promise<void> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeSource)
  const { violations } = await page.evaluate(
    (): Promise<AxeResults> => Reflect.get(window, 'axe').run(document, { resultTypes: ['violations'] }),
  )
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  const told = grave.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => node.html).join('\n  ')}`)
  expect(told, `axe on ${page.url()}`).toEqual([])
}

/** Fails when the page itself scrolls sideways: parts of it may, in their own frame. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }))
  expect(content, `width of ${page.url()}`).toBeLessThanOrEqual(window)
}

const pictures = join(import.meta.dirname, '../../../docs/images')

/** With `npm run screenshots`: writes the picture of a room that the documentation shows, `docs/images/<name>.png`. */
export async function shot(page: Page, name: string, options: { fullPage?: boolean } = {}): Promise<void> {
  if (process.env['PAVE_SCREENSHOTS'] !== 'true') return
  await mkdir(pictures, { recursive: true })
  await page.evaluate(() => document.fonts.ready)
  await page.screenshot({ path: join(pictures, `${name}.png`), animations: 'disabled', caret: 'hide', ...options })
}

const axeSource = await readAxe()

async function readAxe(): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  return readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
}

/** A client of a principal of its own, made with a role; its name and an API token beside it. */
export async function newPerson(
  name: string,
  role: Role,
  at: { url: string; admin: Client } = { url: stage.url, admin },
): Promise<{ name: string; token: string; client: Client }> {
  await at.admin.call(createPrincipal, { name, role })
  return clientOf(name, at)
}

/** A client of a principal that is there already. */
export async function clientOf(
  name: string,
  at: { url: string; admin: Client } = { url: stage.url, admin },
): Promise<{ name: string; token: string; client: Client }> {
  const { token } = await at.admin.call(createToken, { principal: name, name: 'test', expiresIn: 3600 })
  return { name, token, client: createClient({ url: at.url, token }) }
}
