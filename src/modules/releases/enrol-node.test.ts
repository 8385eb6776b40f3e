import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createPrincipal, listTokens, revokeToken, whoami } from '#modules/identity/contract.ts'
import { recordPredictions } from '#modules/predictions/contract.ts'
import { digestOf } from '#platform/ids.ts'
import { readJoinTicket } from '#platform/join-ticket.ts'
import { listEntries } from '#platform/kernel/contract.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { linesOf, recordOf } from '#testing/predictions.ts'
import { createJoinToken, listJoinTokens, publishPlan, reportNodeStatus, revokeJoinToken } from './contract.ts'

const suite = await createTestPlatform()
const { platform, run } = suite
let url = ''
beforeAll(async () => {
  url = await suite.controlPlane.http.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => suite.drop())

let count = 0
const fresh = () => `edge-${++count}`

async function ticket(options: { environment?: string; expiresIn?: string; uses?: number } = {}) {
  const { joinToken, id } = await run(createJoinToken, { environment: 'prod', ...options })
  const read = readJoinTicket(joinToken)
  if (read === undefined) throw new Error('it is no join token')
  return { id, ...read }
}

async function enrol(secret: string, node: string) {
  const response = await fetch(`${url}/internal/v1/enrolments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ secret, node }),
  })
  return { status: response.status, body: await response.json() }
}

const get = (path: string, token: string) => fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })

describe('a join token', () => {
  test('makes one node, of its environment, that can do what nodes do and nothing else', async () => {
    await run(publishPlan, { environment: 'prod' })
    await run(publishPlan, { environment: 'staging' })
    const { secret } = await ticket()
    const node = fresh()
    const { status, body } = await enrol(secret, node)
    expect(status).toBe(200)
    expect(body).toMatchObject({ node, environment: 'prod', workspace: suite.workspace, onlineUrl: null })
    expect(body.planPublicKey).toContain('BEGIN PUBLIC KEY')
    const actor = await platform.authenticate(body.token)
    expect(actor).toMatchObject({ kind: 'node', name: node, grants: [{ scope: { environment: 'prod' } }] })
    expect((await get('/internal/v1/serving-plan?environment=prod&after=0', body.token)).status).toBe(200)
    expect((await get('/internal/v1/serving-plan?environment=staging&after=0', body.token)).status).toBe(403)
    expect((await get('/api/v1/models', body.token)).status).toBe(403)
    expect((await enrol(secret, fresh())).body.code).toBe('join_token_used_up')
  })

  test('is good for as many nodes as it says, however many come at once', async () => {
    const { secret, id } = await ticket({ uses: 2 })
    const answers = await Promise.all(Array.from({ length: 5 }, () => enrol(secret, fresh())))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2)
    expect(answers.filter(({ body }) => body.code === 'join_token_used_up')).toHaveLength(3)
    const { items } = await run(listJoinTokens, {})
    expect(items.find((one) => one.id === id)).toMatchObject({ uses: 2, used: 2 })
  })

  test('is refused when it is unknown, revoked or expired, each with its code', async () => {
    expect(await enrol('nonsense', fresh())).toMatchObject({ status: 401, body: { code: 'join_token_unknown' } })
    const revoked = await ticket()
    await run(revokeJoinToken, { joinToken: revoked.id })
    expect(await enrol(revoked.secret, fresh())).toMatchObject({ status: 403, body: { code: 'join_token_revoked' } })
    const short = await ticket({ expiresIn: '1ms' })
    await vi.waitFor(async () => {
      expect((await enrol(short.secret, 'Not a name')).body.code).toBe('invalid_input')
      expect((await enrol(short.secret, 'late')).body.code).toBe('join_token_expired')
    })
  })

  test('is kept as a hash alone, and its making and its use are in the ledger', async () => {
    const { secret, id } = await ticket()
    const node = fresh()
    const { body } = await enrol(secret, node)
    const { rows } = await platform.systemPool.query<{ dump: string }>(
      `select (select string_agg(t::text, ' ') from releases.join_token t) || (select string_agg(e::text, ' ') from ledger.entry e) as dump`,
    )
    expect(rows[0]?.dump).toContain(id)
    expect(rows[0]?.dump).not.toContain(secret)
    expect(rows[0]?.dump).not.toContain(body.token)
    const of = async (operation: string) => {
      await suite.controlPlane.flushLedger()
      const { items } = await run(listEntries, { operation, limit: 200 })
      return items.find(({ subjects }) => subjects.some((subject) => subject.id === id))
    }
    expect(await of('create-join-token')).toMatchObject({ facts: { environment: 'prod', uses: 1 } })
    expect((await of('enrol-node'))?.subjects).toContainEqual({ kind: 'node', id: node })
  })

  test('is made by an administrator', async () => {
    const operator = await suite.as('olga', 'operator')
    const attempt = run(createJoinToken, { environment: 'prod' }, { as: operator })
    await expect(attempt).rejects.toMatchObject({ code: 'permission_denied' })
  })
})

describe('a name', () => {
  test('that somebody has is refused, and costs no use', async () => {
    await suite.as('ada', 'admin')
    const { secret } = await ticket()
    expect((await enrol(secret, 'ada')).body).toMatchObject({ code: 'node_name_taken', hint: expect.any(String) })
    const node = fresh()
    expect((await enrol(secret, node)).status).toBe(200)
    const again = await ticket()
    expect((await enrol(again.secret, node)).body.code).toBe('node_name_taken')
  })

  test('of a node whose tokens are all revoked is its own again, in its environment', async () => {
    const node = fresh()
    const { body } = await enrol((await ticket()).secret, node)
    const { items } = await run(listTokens, { limit: 200 })
    for (const { id } of items.filter(({ principal }) => principal === node)) await run(revokeToken, { token: id })
    expect(await platform.authenticate(body.token)).toBeUndefined()
    expect((await get('/internal/v1/serving-plan?environment=prod&after=0', body.token)).status).toBe(401)
    const elsewhere = await ticket({ environment: 'staging' })
    expect((await enrol(elsewhere.secret, node)).body.code).toBe('node_name_taken')
    const { body: back } = await enrol((await ticket()).secret, node)
    const actor = await platform.authenticate(back.token)
    expect(actor && (await run(whoami, {}, { as: actor })).grants).toHaveLength(1)
  })
})

describe('a name that is free again', () => {
  const shutOut = async () => {
    const node = fresh()
    await enrol((await ticket()).secret, node)
    const { items } = await run(listTokens, { limit: 200, principal: node })
    for (const { id } of items) await run(revokeToken, { token: id })
    return node
  }

  test('goes to one of those who come at once', async () => {
    const node = await shutOut()
    const tickets = await Promise.all([1, 2, 3, 4].map(() => ticket()))
    const answers = await Promise.all(tickets.map(({ secret }) => enrol(secret, node)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409])
  })

  test('is not that of a node which was given more than nodes have', async () => {
    const scope = { environment: 'prod' }
    await run(createPrincipal, { kind: 'node', name: 'powerful', role: 'operator', scope })
    expect((await enrol((await ticket()).secret, 'powerful')).body.code).toBe('node_name_taken')
  })
})

describe('a node', () => {
  test('reports its own status and none of another, in its environment alone', async () => {
    const node = fresh()
    const actor = await platform.authenticate((await enrol((await ticket()).secret, node)).body.token)
    if (actor === undefined) throw new Error('it is unknown')
    const report = (name: string, environment: string) =>
      run(reportNodeStatus, { node: name, environment, generation: 1 }, { as: actor })
    await expect(report(node, 'prod')).resolves.toEqual({ accepted: true })
    await expect(report('edge-1', 'prod')).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(report(node, 'staging')).rejects.toMatchObject({ code: 'permission_denied' })
  })

  test('sends its own records and none of another node or environment', async () => {
    const node = fresh()
    const { token } = (await enrol((await ticket()).secret, node)).body
    const send = async (name: string, chunk: string, environments: string[], of = name) => {
      const records = environments.map((environment) => recordOf(suite, { environment, endpoint: 'own', node: of }))
      const lines = linesOf(records)
      const response = await fetch(`${url}/internal/v1/prediction-records`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/x-ndjson',
          'x-pave-node': name,
          'x-pave-chunk': chunk,
          'x-pave-digest': digestOf(lines),
        },
        body: lines,
      })
      return [response.status, (await response.json()).code]
    }
    expect(await send(node, 'own', ['prod', 'prod'])).toEqual([200, undefined])
    expect(await send('edge-1', 'other-node', ['prod'])).toEqual([403, 'permission_denied'])
    expect(await send(node, 'other-place', ['staging'])).toEqual([403, 'permission_denied'])
    expect(await send(node, 'smuggled', ['prod', 'staging'])).toEqual([422, 'prediction_record_invalid'])
    expect(await send(node, 'forged', ['prod'], 'edge-1')).toEqual([422, 'prediction_record_invalid'])
    const actor = await platform.authenticate(token)
    const lines = linesOf([recordOf(suite, { environment: 'prod' })])
    const unnamed = { node, chunk: 'unnamed', digest: digestOf(lines), lines }
    if (actor === undefined) throw new Error('it is unknown')
    await expect(run(recordPredictions, unnamed, { as: actor })).rejects.toMatchObject({ code: 'permission_denied' })
  })
})
