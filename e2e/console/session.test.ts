import { expect, it, onTestFinished } from 'vitest'
import { createToken, listPrincipals, listTokens, revokeToken } from '#modules/identity/contract.ts'
import { setAlias } from '#modules/registry/contract.ts'
import { listEntries } from '#platform/kernel/contract.ts'
import { createPlace, startPave } from '../support/start-pave.ts'
import { admin, describeConsole, expectAccessible, hearNoMore, newPerson, openPage, stage } from './support/console.ts'

/** What somebody writes into a field: every script, an emoji, and HTML. */
const strange = 'Ноутбук 笔记本 <b>Ada</b> 🛫'

async function endSessionsOf(principal: string): Promise<void> {
  const { items } = await admin.call(listTokens, { principal, limit: 200 })
  for (const { id, session, revokedAt } of items) {
    if (session && revokedAt === null) await admin.call(revokeToken, { token: id })
  }
}

describeConsole('signing in', () => {
  it('takes an API token of anybody, and leads back to where one was going', async () => {
    const { token } = await newPerson('token-tina', 'viewer')
    const page = await openPage(undefined, '/ledger?outcome=refused')
    await page.getByRole('heading', { name: 'Sign in to Pave' }).waitFor()
    await expectAccessible(page)
    await page.getByLabel('Sign-in link, its code, or your API token').fill('pave_wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('token_unknown').waitFor()
    await page.getByLabel('Sign-in link, its code, or your API token').fill(token)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { level: 1, name: 'Ledger' }).waitFor()
    expect(new URL(page.url()).search).toBe('?outcome=refused')
    await page.getByText('token-tina').first().waitFor()
    const cookies = await page.context().cookies()
    expect(cookies.map(({ value }) => value)).not.toContain(token)
  })

  it('leads to no other site', async () => {
    const { token } = await newPerson('careful-carl', 'viewer')
    for (const from of ['//evil.example/', 'https://evil.example/', '/\\evil.example', 'javascript:alert(1)']) {
      const page = await openPage(undefined, `/sign-in?from=${encodeURIComponent(from)}`)
      await page.getByLabel('Sign-in link, its code, or your API token').fill(token)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
      expect(page.url()).toBe(`${stage.url}/`)
    }
  })

  it('ends with signing out, for the cookie too', async () => {
    await newPerson('leaving-leo', 'viewer')
    const page = await openPage('leaving-leo')
    const [cookie] = await page.context().cookies()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in to Pave' }).waitFor()
    const answer = await fetch(`${stage.url}/api/v1/whoami`, { headers: { authorization: `Bearer ${cookie?.value}` } })
    expect(answer.status).toBe(401)
  })
})

describeConsole('a session that ends while somebody types', () => {
  it('loses nothing: one signs in again over the page, and what was being sent goes on', async () => {
    const { token } = await newPerson('typing-tom', 'admin')
    await newPerson('other-olga', 'viewer')
    const olga = await admin.call(createToken, { principal: 'other-olga', name: 'x', expiresIn: 600 })
    const page = await openPage('typing-tom', '/settings/tokens?make=true&for=other-olga')
    const form = page.getByRole('dialog', { name: 'Make an API token' })
    await form.getByRole('textbox', { name: 'Name', exact: true }).fill(strange)
    await endSessionsOf('typing-tom')
    // The page itself may have found out already, and asks over the form.
    await form.getByRole('button', { name: 'Make', exact: true }).dispatchEvent('click')
    const question = page.getByRole('dialog', { name: 'Your session has ended' })
    await question.getByText('Sign in again as typing-tom').waitFor()
    await expectAccessible(page)

    const secret = question.getByLabel('Sign-in link, its code, or an API token')
    await secret.fill(olga.token)
    await question.getByRole('button', { name: 'Sign in' }).click()
    await question.getByText("That was other-olga's.").waitFor()
    await secret.fill(token)
    await question.getByRole('button', { name: 'Sign in' }).click()
    await form.getByText('Token of other-olga').waitFor()
    await question.waitFor({ state: 'hidden' })

    const made = await admin.call(listTokens, { principal: 'other-olga', limit: 200 })
    expect(made.items.filter(({ name }) => name === strange)).toHaveLength(1)
    await form.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('cell', { name: strange, exact: true }).waitFor()
  })

  it('leaves what was typed to whoever signs in later', async () => {
    const { token } = await newPerson('later-lena', 'admin')
    const page = await openPage('later-lena', '/settings?add=true')
    const form = page.getByRole('dialog', { name: 'Add a person' })
    await form.getByRole('textbox', { name: 'Name', exact: true }).fill('added-later')
    await endSessionsOf('later-lena')
    await form.getByRole('button', { name: 'Add' }).dispatchEvent('click')
    const question = page.getByRole('dialog', { name: 'Your session has ended' })
    await question.getByRole('button', { name: 'Not now' }).last().click()
    await form.getByText('unauthenticated').waitFor()
    expect(await form.getByRole('textbox', { name: 'Name', exact: true }).inputValue()).toBe('added-later')
    await form.getByRole('button', { name: 'Add' }).click()
    await question.getByLabel('Sign-in link, its code, or an API token').fill(token)
    await question.getByRole('button', { name: 'Sign in' }).click()
    await form.waitFor({ state: 'hidden' })
    await page.getByRole('heading', { name: 'added-later' }).waitFor()
  })
})

describeConsole('a server that goes away and returns', () => {
  it('leaves the page as it was, keeps what was typed, and what is sent again happens once', async () => {
    const place = await createPlace(onTestFinished)
    const first = await startPave(place)
    const page = await openPage('admin', '/settings', { at: { url: place.url, admin: first.admin } })
    await page.getByRole('link', { name: 'admin', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Add' }).click()
    const form = page.getByRole('dialog', { name: 'Add a person' })
    await form.getByRole('textbox', { name: 'Name', exact: true }).fill('survivor')

    await first.stop('SIGKILL')
    await page.getByText('Pave is not reachable, since').waitFor()
    await form.getByRole('button', { name: 'Add' }).click()
    await form.getByText('Send it again when Pave answers: it happens once').waitFor()
    expect(await form.getByRole('textbox', { name: 'Name', exact: true }).inputValue()).toBe('survivor')
    expect(await page.getByText('local-prod').count(), 'what was read before stays').toBeGreaterThan(0)

    const second = await startPave(place)
    await page.getByText('Pave is not reachable').waitFor({ state: 'hidden' })
    await form.getByRole('button', { name: 'Add' }).click()
    await form.waitFor({ state: 'hidden' })
    await page.getByRole('heading', { name: 'survivor' }).waitFor()
    const { items } = await second.admin.call(listPrincipals, { search: 'survivor' })
    expect(items).toHaveLength(1)
    const entries = await second.admin.call(listEntries, { operation: 'create-principal', outcome: 'done', limit: 200 })
    expect(entries.items.filter(({ subjects }) => subjects[0]?.id === items[0]?.id)).toHaveLength(1)
  }, 120_000)

  it('happens once also when the answer alone was lost', async () => {
    const page = await openPage('admin', '/settings?add=true')
    const form = page.getByRole('dialog', { name: 'Add a person' })
    await form.getByRole('textbox', { name: 'Name', exact: true }).fill('answer-lost')
    await page.route(
      '**/api/v1/principals',
      async (route) => {
        if (route.request().method() !== 'POST') return route.continue()
        await route.fetch()
        await route.abort()
      },
      { times: 1 },
    )
    await form.getByRole('button', { name: 'Add' }).click()
    await form.getByText('it happens once').waitFor()
    await form.getByRole('button', { name: 'Add' }).click()
    await page.getByRole('heading', { name: 'answer-lost' }).waitFor()
    expect((await admin.call(listPrincipals, { search: 'answer-lost' })).items).toHaveLength(1)
  })
})

describeConsole('two people who change one thing', () => {
  it('do not undo each other unseen: the second sees what the first did, with what was typed still there', async () => {
    const model = 'flight-delays'
    await admin.call(setAlias, { model, alias: 'contested', version: 1 })
    const page = await openPage('ada', `/models/${model}`)
    await hearNoMore(page)
    await page.getByRole('textbox', { name: 'Alias' }).fill('contested')
    await page.getByRole('button', { name: 'Move from 1' }).waitFor()
    await admin.call(setAlias, { model, alias: 'contested', version: 2 })
    await page.getByRole('combobox', { name: 'Version' }).fill('3')
    await page.getByRole('option', { name: '3' }).click()
    await page.getByRole('button', { name: 'Move from 1' }).click()
    await page.getByText('alias_moved').waitFor()
    expect(await page.getByRole('textbox', { name: 'Alias' }).inputValue()).toBe('contested')
    await page.getByRole('button', { name: 'Move from 2' }).click()
    await page.getByText(`contested is ${model}@3; it was ${model}@2.`).waitFor()
  })
})
