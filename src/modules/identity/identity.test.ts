import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allows, systemActor } from '#platform/actor.ts'
import { listEntries } from '#platform/kernel/contract.ts'
import { createHttpServer } from '#platform/surfaces/http.ts'
import { createTelemetry } from '#platform/telemetry.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { until } from '#testing/until.ts'
import {
  bindRole,
  createPrincipal,
  createSignInLink,
  createToken,
  createWorkspace,
  issueRunToken,
  listPrincipals,
  listRoleBindings,
  listTokens,
  redeemSignInLink,
  revokeToken,
  unbindRole,
  whoami,
} from './contract.ts'
import { identity } from './module.ts'
import { servingKeys } from './queries.ts'
import { grantOf } from './roles.ts'

const suite = await createTestPlatform({ modules: [identity] })
const { platform, workspace, run } = suite
const { http } = suite.controlPlane
let url = ''
beforeAll(async () => {
  url = await http.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => suite.drop())

let count = 0
const fresh = (kind: string) => `${kind}-${++count}`

async function person(role?: 'viewer' | 'admin'): Promise<string> {
  const name = fresh('person')
  await run(createPrincipal, { name, ...(role && { role }) })
  return name
}

describe('tokens', () => {
  test('speak for their principal, with its roles', async () => {
    const name = await person('viewer')
    const { token } = await run(createToken, { principal: name, name: 'laptop' })
    const actor = await platform.authenticate(token)
    expect(actor).toMatchObject({ kind: 'user', name, workspace, grants: [{ verbs: ['*:read'], scope: {} }] })
    if (actor === undefined) return
    expect(await run(whoami, {}, { as: actor })).toMatchObject({ name, workspace: { id: workspace, name: 'test' } })
  })

  test('are recognized while others read the whole ledger', async () => {
    const { token } = await run(createToken, { principal: await person('viewer'), name: 'laptop' })
    const readers: { release(): void }[] = []
    while (readers.length < (platform.systemPool.options.max ?? 0)) readers.push(await platform.systemPool.connect())
    expect(await platform.authenticate(token)).toBeDefined()
    for (const reader of readers) reader.release()
  })

  test('are shown once: nothing that is kept tells them', async () => {
    const { token, id } = await run(createToken, { principal: await person(), name: 'secret' })
    const { rows: tables } = await platform.systemPool.query<{ dump: string }>(`
      select (select string_agg(t::text, ' ') from identity.token t) || (select string_agg(e::text, ' ') from ledger.entry e)
        || coalesce((select string_agg(i::text, ' ') from platform.idempotent_answer i), '') as dump
    `)
    const secret = token.slice(`pave_${id.replaceAll('-', '')}_`.length)
    expect(secret.length).toBeGreaterThanOrEqual(43)
    expect(tables[0]?.dump).toContain(id)
    expect(tables[0]?.dump).not.toContain(secret)
    expect(JSON.stringify(await run(listTokens, {}))).not.toContain(secret)
  })

  test('a revoked one is refused at once, and revoking again answers the first time', async () => {
    const { token, id } = await run(createToken, { principal: await person(), name: 'short' })
    expect(await platform.authenticate(token)).toBeDefined()
    const first = await run(revokeToken, { token: id })
    expect(await platform.authenticate(token)).toBeUndefined()
    expect(await run(revokeToken, { token: id })).toEqual(first)
    await expect(run(revokeToken, { token: platform.ids.next() })).rejects.toMatchObject({ code: 'token_not_found' })
  })

  test('one that was read while it was revoked is not remembered as good', async () => {
    const { token, id } = await run(createToken, { principal: await person(), name: 'raced' })
    await Promise.all([
      ...Array.from({ length: 20 }, () => platform.authenticate(token)),
      run(revokeToken, { token: id }),
    ])
    expect(await platform.authenticate(token)).toBeUndefined()
  })

  test('expire', async () => {
    const { token, expiresAt } = await run(createToken, { principal: await person(), name: 'brief', expiresIn: 60 })
    expect(await platform.authenticate(token)).toBeDefined()
    const later = {
      ...platform,
      clock: {
        now: () => Date.parse(expiresAt ?? '') + 1,
        iso: () => new Date(Date.parse(expiresAt ?? '') + 1).toISOString(),
      },
    }
    expect(await identity.authenticate?.(later, token)).toBeUndefined()
  })

  test.each(['', 'pave_', 'pave_x_y', `pave_${'x'.repeat(300)}`, "pave_' or true --"])(
    '%j is nobody’s',
    async (token) => {
      expect(await platform.authenticate(token)).toBeUndefined()
    },
  )

  test('those that may ask for predictions reach the plans of their environments alone', async () => {
    const principal = await person()
    const { id } = await run(createToken, { principal, name: 'product', endpoints: ['prod/flights', 'dev/flights'] })
    const all = await run(createToken, { principal, name: 'everything', endpoints: ['*'] })
    await run(createToken, { principal, name: 'people' })
    const keys = (environment: string) =>
      platform.read(workspace, (db) => servingKeys(db, environment, platform.clock.iso()))
    expect((await keys('prod')).map((key) => [key.id, key.endpoints])).toEqual([
      [id, ['flights']],
      [all.id, ['*']],
    ])
    expect((await keys('production')).map((key) => key.id)).toEqual([all.id])
    await run(revokeToken, { token: all.id })
    expect(await keys('production')).toEqual([])
  })
})

test('tokens are listed newest first, those that ended apart, and found by their name or whose they are', async () => {
  const principal = await person()
  const make = async (name: string, expiresIn = 600) => (await run(createToken, { principal, name, expiresIn })).id
  const [, revoked] = [await make('100%_good'), await make('100 lost')]
  await run(revokeToken, { token: revoked })
  const brief = await make('brief', 1)
  await until(suite, async () =>
    (await run(listTokens, { principal, ended: true })).items.find(({ id }) => id === brief),
  )
  const names = async (filter: object) =>
    (await run(listTokens, { principal, ...filter })).items.map(({ name }) => name)
  expect(await names({})).toEqual(['brief', '100 lost', '100%_good'])
  expect(await names({ valid: true })).toEqual(['100%_good'])
  expect(await names({ ended: true })).toEqual(['brief', '100 lost'])
  expect(await names({ search: '0%_G' })).toEqual(['100%_good'])
  expect(await names({ search: principal.toUpperCase(), limit: 1 })).toEqual(['brief'])
  const first = await run(listTokens, { principal, limit: 2 })
  expect(await names({ limit: 2, cursor: first.nextCursor })).toEqual(['100%_good'])
})

describe('roles', () => {
  test('are listed with whoever has them', async () => {
    const [name, nobody] = [await person('viewer'), await person()]
    await run(bindRole, { principal: name, role: 'operator', scope: { environment: 'dev' } })
    const roles = async (search: string) =>
      (await run(listPrincipals, { search })).items
        .find((one) => one.name === search)
        ?.roles.map(({ role, scope }) => ({ role, scope }))
    expect(await roles(nobody)).toEqual([])
    expect(await roles(name)).toEqual([
      { role: 'viewer', scope: {} },
      { role: 'operator', scope: { environment: 'dev' } },
    ])
  })

  test('bound in a scope hold there; taken back they hold no more', async () => {
    const name = await person()
    const { token } = await run(createToken, { principal: name, name: 't' })
    const binding = await run(bindRole, { principal: name, role: 'operator', scope: { environment: 'dev' } })
    expect(await run(bindRole, { principal: name, role: 'operator', scope: { environment: 'dev' } })).toEqual(binding)
    const grants = async () => (await platform.authenticate(token))?.grants ?? []
    expect(allows(await grants(), 'release:start', { environment: 'dev', endpoint: 'e' })).toBe(true)
    expect(allows(await grants(), 'release:start', { environment: 'prod', endpoint: 'e' })).toBe(false)
    await run(unbindRole, { binding: binding.id })
    expect(await grants()).toEqual([])
    await expect(run(unbindRole, { binding: binding.id })).rejects.toMatchObject({ code: 'role_binding_not_found' })
  })

  test.each([
    ['viewer', ['dataset:read', 'ledger:read'], ['dataset:put', 'approval:decide', 'token:create']],
    [
      'contributor',
      ['dataset:put', 'run:start', 'version:create'],
      ['release:start', 'approval:decide', 'token:create', 'prediction:record'],
    ],
    ['approver', ['approval:decide', 'version:read'], ['approval:close', 'release:start', 'policy:put']],
    [
      'operator',
      ['release:start', 'release:rollback', 'job:retry'],
      ['approval:decide', 'token:create', 'role:bind', 'node:serve'],
    ],
    ['node', ['node:serve', 'prediction:record', 'object:read'], ['ledger:read', 'release:start', 'token:create']],
    ['admin', ['token:create', 'approval:decide'], []],
  ] as const)('%s', (role, may, mayNot) => {
    const grants = [grantOf(role, {})]
    expect(may.filter((verb) => !allows(grants, verb, {}))).toEqual([])
    expect(mayNot.filter((verb) => allows(grants, verb, {}))).toEqual([])
  })

  test('an admin of one environment cannot make an admin of all', async () => {
    const ada = await suite.as('ada', 'admin')
    const narrow = { ...ada, grants: [grantOf('admin', { environment: 'dev' })] }
    const attempts = [
      () => run(bindRole, { principal: 'ada', role: 'admin', scope: {} }, { as: narrow }),
      () => run(createToken, { principal: 'ada', name: 'mine' }, { as: narrow }),
      () => run(createPrincipal, { name: 'friend', role: 'admin' }, { as: narrow }),
    ]
    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'permission_denied' })
  })

  test('a principal whose role cannot be bound is not made', async () => {
    const maker = { ...(await suite.as('ada')), grants: [{ verbs: ['user:create'], scope: {} }] }
    const name = fresh('half')
    await expect(run(createPrincipal, { name, role: 'admin' }, { as: maker })).rejects.toMatchObject({ status: 403 })
    const { items } = await run(listPrincipals, { limit: 200 })
    expect(items.map((one) => one.name)).not.toContain(name)
  })
})

describe('sign-in links', () => {
  const redeem = (code: string) =>
    fetch(`${url}/console/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    })

  test('work once, and make a session that only the browser can read', async () => {
    const { code } = await run(createSignInLink, { principal: await person('viewer') })
    const response = await redeem(code)
    const cookie = response.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/^pave_session=pave_\w+_[\w-]+;.*HttpOnly; SameSite=Strict/)
    expect(JSON.stringify(await response.json())).not.toContain('pave_')
    const session = await fetch(`${url}/api/v1/whoami`, { headers: { cookie: cookie.split(';')[0] ?? '' } })
    expect(session.status).toBe(200)
    expect((await redeem(code)).status).toBe(401)
  })

  test('of two at once one gets in', async () => {
    const { code } = await run(createSignInLink, { principal: await person() })
    const answers = await Promise.allSettled([1, 2, 3].map(() => run(redeemSignInLink, { code })))
    expect(answers.filter((one) => one.status === 'fulfilled')).toHaveLength(1)
  })

  test('expire, and unknown ones are refused', async () => {
    const { code } = await run(createSignInLink, { principal: await person() })
    await platform.transaction(workspace, (db) =>
      db
        .withTables<{ 'identity.sign_in_link': { expires_at: string } }>()
        .updateTable('identity.sign_in_link')
        .set({ expires_at: '2001-01-01' })
        .execute(),
    )
    expect((await redeem(code)).status).toBe(401)
    expect((await redeem('nonsense')).status).toBe(401)
    expect(
      (
        await fetch(`${url}/console/session`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{}',
        })
      ).status,
    ).toBe(422)
  })
})

describe('sessions opened with an API token', () => {
  const signIn = (body: unknown) =>
    fetch(`${url}/console/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const cookieOf = (response: Response) => (response.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const whoIs = async (cookie: string) => (await fetch(`${url}/api/v1/whoami`, { headers: { cookie } })).status

  test('are anybody’s, last no longer than the token, and end with it', async () => {
    const name = await person('viewer')
    const made = await run(createToken, { principal: name, name: 'laptop', expiresIn: 600 })
    const response = await signIn({ token: made.token })
    expect(response.status).toBe(200)
    const cookie = cookieOf(response)
    expect(cookie).not.toContain(made.token)
    expect(await whoIs(cookie)).toBe(200)
    const session = (await run(listTokens, { limit: 200 })).items.find((one) => one.principal === name && one.session)
    expect(Date.parse(session?.expiresAt ?? '')).toBeLessThanOrEqual(Date.parse(made.expiresAt ?? ''))
    const { items } = await run(listEntries, { operation: 'open-session', limit: 1 })
    expect(items[0]).toMatchObject({
      outcome: 'done',
      subjects: [{ kind: 'token', id: session?.id }, { kind: 'user' }],
    })
    await run(revokeToken, { token: made.id })
    expect(await whoIs(cookie)).toBe(401)
  })

  test('end with signing out, which leaves the token good', async () => {
    const { token } = await run(createToken, { principal: await person('viewer'), name: 'laptop' })
    const cookie = cookieOf(await signIn({ token }))
    const signedOut = await fetch(`${url}/console/session`, {
      method: 'DELETE',
      headers: { cookie, 'sec-fetch-site': 'same-origin' },
    })
    expect(signedOut.headers.get('set-cookie')).toContain('Max-Age=0')
    expect(await whoIs(cookie)).toBe(401)
    expect(await platform.authenticate(token)).toBeDefined()
  })

  test('open no further ones, which would outlive the token', async () => {
    const { token } = await run(createToken, { principal: await person('viewer'), name: 'laptop' })
    const session = cookieOf(await signIn({ token })).replace('pave_session=', '')
    const response = await signIn({ token: session })
    expect([response.status, (await response.json()).code]).toEqual([403, 'session_refused'])
  })

  test('are refused to the token of a run, an unknown token, and whoever sends both kinds of secret', async () => {
    const eve = await suite.as('eve', 'contributor')
    const { token } = await run(issueRunToken, { run: platform.ids.next(), principal: eve.id }, { as: eve })
    expect((await signIn({ token })).status).toBe(403)
    expect((await signIn({ token: `${token.slice(0, -4)}aaaa` })).status).toBe(401)
    expect((await signIn({ token, code: 'x' })).status).toBe(422)
    expect((await signIn({ token: 7 })).status).toBe(422)
  })
})

test('a run’s token acts for whoever started it, and nobody gets one for somebody else', async () => {
  const [ada, eve] = [await suite.as('ada', 'admin'), await suite.as('eve', 'contributor')]
  const id = platform.ids.next()
  const { token } = await run(issueRunToken, { run: id, principal: eve.id }, { as: eve })
  expect(await platform.authenticate(token)).toMatchObject({ id: eve.id, name: 'eve' })
  await expect(run(issueRunToken, { run: id, principal: ada.id }, { as: eve })).rejects.toMatchObject({ status: 403 })
  expect((await run(listTokens, { limit: 200 })).items.map((one) => one.name)).not.toContain(`run ${id}`)
})

test('another workspace sees nobody of this one', async () => {
  const other = systemActor(platform.ids.next())
  await platform.run(createWorkspace, { actor: other, input: { name: 'other' } })
  expect((await platform.run(listPrincipals, { actor: other, input: {} })).items).toEqual([])
  await expect(
    platform.run(createToken, { actor: other, input: { principal: 'ada', name: 't' } }),
  ).rejects.toMatchObject({ code: 'principal_not_found' })
  expect((await platform.run(listEntries, { actor: other, input: {} })).items.map((one) => one.operation)).toEqual([
    'create-token',
    'create-workspace',
  ])
})

test('names are taken once', async () => {
  const name = await person()
  await expect(run(createPrincipal, { name })).rejects.toMatchObject({ code: 'principal_exists' })
  await expect(run(createPrincipal, { name: 'Not A Name' })).rejects.toMatchObject({ code: 'invalid_input' })
})

test.each([listPrincipals, listRoleBindings, listTokens])('$name goes through all in pages', async (list) => {
  const whole = await run(list, { limit: 200 })
  const seen: unknown[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: { items: unknown[]; nextCursor: string | null } = await run(list, {
      limit: 3,
      ...(cursor && { cursor }),
    })
    seen.push(...page.items)
    cursor = page.nextCursor
  }
  expect(seen).toEqual(whole.items)
  expect(seen.length).toBeGreaterThan(3)
})

test('guessing is slowed down', async () => {
  const statuses = new Set<number>()
  for (let tries = 0; tries < 200 && !statuses.has(429); tries++) {
    const response = await fetch(`${url}/console/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: `guess ${tries}` }),
    })
    statuses.add(response.status)
  }
  expect([...statuses]).toEqual([401, 429])
})

test('behind a proxy, whoever guesses keeps nobody else from signing in', async () => {
  const { services } = platform
  const telemetry = await createTelemetry({ service: 'proxied', otlpEndpoint: undefined })
  const config = { ...services.config, tls: { kind: 'proxy' as const } }
  const proxied = await createHttpServer({ ...platform, telemetry, services: { ...services, config } })
  const guess = async (forwarded: string) => {
    const headers = { host: 'localhost', 'x-forwarded-for': forwarded }
    return (await proxied.inject({ method: 'POST', url: '/console/session', headers, payload: { code: 'x' } }))
      .statusCode
  }
  const statuses = new Set<number>()
  for (let tries = 0; tries < 200 && !statuses.has(429); tries++)
    statuses.add(await guess(`10.9.8.${tries}, 192.0.2.1`))
  expect([...statuses]).toEqual([401, 429])
  expect(await guess('192.0.2.2')).toBe(401)
  await proxied.close()
  await telemetry.close()
})
