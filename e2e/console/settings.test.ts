import { expect, it } from 'vitest'
import { joinControlPlane, joinTicketOf } from '#inference/join-control-plane.ts'
import { createToken, listRoleBindings, revokeToken } from '#modules/identity/contract.ts'
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
    await form.getByRole('textbox', { name: 'Name', exact: true }).fill('Not A Name')
    await form.getByRole('combobox', { name: 'Role' }).click()
    await page.getByRole('option', { name: 'operator' }).click()
    await form.getByRole('combobox', { name: 'Where it holds' }).click()
    await page.getByRole('option', { name: 'In one environment' }).click()
    await form.getByLabel('Name of the environment').fill('staging')
    await form.getByRole('button', { name: 'Add' }).click()
    await form.getByText('a name has lower-case letters, digits and dashes').first().waitFor()
    await form.getByRole('textbox', { name: 'Name', exact: true }).fill('deployer')
    await form.getByRole('button', { name: 'Add' }).click()

    const roles = page.getByRole('table', { name: 'Roles of deployer' })
    await roles.getByRole('row', { name: /operator environment staging/ }).waitFor()
    await expectAccessible(page)
    await shot(page, 'settings-people')
    await roles.getByRole('button', { name: 'Take back the role operator of deployer' }).click()
    const question = page.getByRole('dialog', { name: 'Take back the role operator of deployer' })
    await expectAccessible(page)
    await question.getByRole('button', { name: 'Take back' }).click()
    await page.getByText('deployer has no role, and so may do nothing.').waitFor()
    expect((await admin.call(listRoleBindings, { principal: 'deployer' })).items).toEqual([])
  })

  it('make a token that is shown once and works until it is revoked', async () => {
    await newPerson('token-owner', 'viewer')
    const page = await openPage('admin', '/settings/tokens?make=true&for=token-owner')
    const form = page.getByRole('dialog', { name: 'Make an API token' })
    await form.getByRole('textbox', { name: 'Name', exact: true }).fill('nightly job')
    await expectAccessible(page)
    await form.getByRole('button', { name: 'Make', exact: true }).click()
    const token = (await form.getByText(/^pave_/).textContent()) ?? ''
    const whoami = async () =>
      (await fetch(`${stage.url}/api/v1/whoami`, { headers: { authorization: `Bearer ${token}` } })).status
    expect(await whoami()).toBe(200)
    await form.getByRole('button', { name: 'Close' }).click()
    const row = page.getByRole('row', { name: /nightly job token-owner/ })
    await row.waitFor()
    await page.getByText(token).waitFor({ state: 'detached' })
    await row.getByRole('button', { name: 'Revoke nightly job of token-owner' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await row.waitFor({ state: 'hidden' })
    expect(await whoami()).toBe(401)
  })

  it('tell somebody without the right what is missing', async () => {
    await newPerson('only-looking', 'viewer')
    const page = await openPage('only-looking', '/settings?add=true')
    await page.getByText('You may not add anybody: that takes user:create').waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page
      .getByRole('row', { name: /only-looking.*viewer/ })
      .getByRole('link', { name: 'only-looking' })
      .click()
    await page.getByText('You may not give or take back roles: that takes role:bind').waitFor()
    await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'Tokens' }).click()
    await page.getByText('You may not make or revoke tokens: that takes token:create').waitFor()
    await page.getByText('You may not see them or let machines join: that takes node:enrol').waitFor()
    await page
      .getByRole('row', { name: /this machine/ })
      .first()
      .waitFor()
    const tempting = page.getByRole('button', { name: /^(Add|Give|Make|Revoke|Take back|Let)/ })
    expect(await tempting.count()).toBe(0)
    await expectAccessible(page)
  })

  it('let a machine join with a command that is shown once, until that is revoked', async () => {
    const page = await openPage('admin', '/settings/tokens')
    await page.getByRole('button', { name: 'Let a machine join' }).click()
    const form = page.getByRole('dialog', { name: 'Let a machine join' })
    await form.getByRole('textbox', { name: 'Environment' }).fill('No Such Name')
    await form.getByRole('textbox', { name: 'How many machines' }).fill('3')
    await form.getByRole('button', { name: 'Make the token' }).click()
    await form.getByText('a name has lower-case letters, digits and dashes').first().waitFor()
    await form.getByRole('textbox', { name: 'Environment' }).fill('hangar')
    await form.getByRole('button', { name: 'Make the token' }).click()
    const command = (await form.getByText(/^pave serve --join /).textContent()) ?? ''
    await expectAccessible(page)
    await form.getByRole('button', { name: 'Close' }).click()
    const row = page.getByRole('row', { name: /hangar good 0 of 3/ })
    await row.waitFor()
    const join = () => joinControlPlane(joinTicketOf(command.split(' ').at(-1) ?? ''), 'spare-node')
    expect((await join()).environment).toBe('hangar')
    await page.getByRole('row', { name: /hangar good 1 of 3/ }).waitFor()
    await page.getByRole('button', { name: 'Revoke the join token for hangar' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('row', { name: /hangar revoked 1 of 3/ }).waitFor()
    await expect(join()).rejects.toMatchObject({ code: 'join_token_revoked' })
  })

  it('keep tokens that are good apart from those that ended, and find them by name', async () => {
    await newPerson('many-tokens', 'viewer')
    const make = (name: string) => admin.call(createToken, { principal: 'many-tokens', name })
    const { id } = await make('<i>old</i> laptop 💻')
    await make('new laptop')
    await admin.call(revokeToken, { token: id })
    const page = await openPage('admin', '/settings/tokens?principal=many-tokens')
    const names = page.getByRole('table', { name: 'Tokens', exact: true }).locator('tbody strong')
    await expect.poll(() => names.allTextContents(), { timeout: 10_000 }).toEqual(['new laptop', 'test'])
    await page.getByLabel('Only expired and revoked ones').check()
    await expect.poll(() => names.allTextContents(), { timeout: 10_000 }).toEqual(['<i>old</i> laptop 💻'])
    await page.getByLabel('Search by name').fill('zzz')
    await page.getByText('No token is like that').waitFor()
    await page.getByLabel('Search by name').fill('>OLD<')
    await expect.poll(() => names.allTextContents(), { timeout: 10_000 }).toEqual(['<i>old</i> laptop 💻'])
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
