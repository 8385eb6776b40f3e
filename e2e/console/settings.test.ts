import { expect, it } from 'vitest'
import { listRoleBindings } from '#modules/identity/contract.ts'
import {
  admin,
  describeConsole,
  expectAccessible,
  expectNoSidewaysScroll,
  newPerson,
  openPage,
  shot,
  stage,
} from './support/console.ts'

describeConsole('the settings', () => {
  it('add a service account with a role in one environment, and take the role back', async () => {
    const page = await openPage('admin', '/settings')
    await page.getByRole('button', { name: 'Add' }).click()
    const form = page.getByRole('dialog', { name: 'Add a person' })
    await form.getByRole('combobox', { name: 'Kind' }).click()
    await page.getByRole('option', { name: 'Service account' }).click()
    await form.getByLabel('Name', { exact: true }).fill('Not A Name')
    await form.getByRole('combobox', { name: 'Role' }).click()
    await page.getByRole('option', { name: 'operator' }).click()
    await form.getByRole('combobox', { name: 'Where it holds' }).click()
    await page.getByRole('option', { name: 'In one environment' }).click()
    await form.getByLabel('Name of the environment').fill('staging')
    await form.getByRole('button', { name: 'Add' }).click()
    await form.getByText('a name has lower-case letters, digits and dashes').first().waitFor()
    await form.getByLabel('Name', { exact: true }).fill('deployer')
    await form.getByRole('button', { name: 'Add' }).click()

    const roles = page.getByRole('table', { name: 'Roles of deployer' })
    await roles.getByRole('row', { name: /operator environment staging/ }).waitFor()
    await expectAccessible(page)
    await shot(page, 'settings-people')
    await roles.getByRole('button', { name: 'Take the role operator back from deployer' }).click()
    const question = page.getByRole('dialog', { name: 'Take the role operator back from deployer' })
    await expectAccessible(page)
    await question.getByRole('button', { name: 'Take back' }).click()
    await page.getByText('deployer has no role, and so may do nothing.').waitFor()
    expect((await admin.call(listRoleBindings, { principal: 'deployer' })).items).toEqual([])
  })

  it('make a token that is shown once and works until it is revoked', async () => {
    await newPerson('token-owner', 'viewer')
    const page = await openPage('admin', '/settings/tokens?make=true&for=token-owner')
    const form = page.getByRole('dialog', { name: 'Make an API token' })
    await form.getByLabel('Name').fill('nightly job')
    await expectAccessible(page)
    await form.getByRole('button', { name: 'Make', exact: true }).click()
    const token = await form.getByText(/^pave_/).textContent()
    const whoami = async () =>
      (await fetch(`${stage.url}/api/v1/whoami`, { headers: { authorization: `Bearer ${token}` } })).status
    expect(await whoami()).toBe(200)
    await form.getByRole('button', { name: 'Close' }).click()
    const row = page.getByRole('row', { name: /nightly job token-owner/ })
    await row.waitFor()
    expect(await page.getByText(token).count()).toBe(0)
    await row.getByRole('button', { name: 'Revoke nightly job of token-owner' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await row.waitFor({ state: 'hidden' })
    expect(await whoami()).toBe(401)
  })

  it('tell somebody without the right what is missing', async () => {
    await newPerson('only-looking', 'viewer')
    const page = await openPage('only-looking', '/settings?add=true')
    const form = page.getByRole('dialog', { name: 'Add a person' })
    await form.getByLabel('Name', { exact: true }).fill('friend')
    await form.getByRole('button', { name: 'Add' }).click()
    await form.getByText('permission_denied').waitFor()
    expect(await form.getByLabel('Name', { exact: true }).inputValue()).toBe('friend')
  })

  for (const [scheme, width] of [
    ['light', 1280],
    ['dark', 1280],
    ['dark', 390],
  ] as const) {
    it(`are accessible in ${scheme} colours at ${width} pixels`, async () => {
      const page = await openPage('admin', '/settings', { scheme, width })
      for (const [path, what] of [
        ['/settings', 'booking-site'],
        ['/settings/tokens', 'this machine'],
        ['/settings/workspaces', 'What you may do'],
      ] as const) {
        await page.goto(path)
        await page.getByText(what).first().waitFor()
        await expectAccessible(page)
        await expectNoSidewaysScroll(page)
      }
    })
  }
})
