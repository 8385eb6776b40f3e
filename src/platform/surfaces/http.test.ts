import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createTestPlatform } from '#testing/platform.ts'
import { type Actor, systemActor } from '../actor.ts'
import { recordObject } from '../kernel/contract.ts'
import { pathParameters } from '../operation.ts'
import { gate, probe, writeNote } from '../probe.fixture.ts'

const suite = await createTestPlatform({ extra: [probe] })
const { platform, workspace } = suite
const { http } = suite.controlPlane
let url = ''
beforeAll(async () => {
  url = await http.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => suite.drop())

/** Tokens of tests: `Bearer <name>` is that actor. */
const actors = new Map<string, Actor>()
const authenticate = platform.authenticate
platform.authenticate = async (token) => actors.get(token) ?? authenticate(token)
actors.set('admin', await suite.as('ada', 'admin'))
actors.set('viewer', await suite.as('vera', 'viewer'))
actors.set('node', await suite.as('node-1', 'node'))
const elsewhere = platform.ids.next()
actors.set('stranger', { ...systemActor(elsewhere), kind: 'user', id: platform.ids.next(), name: 'stranger' })

function send(
  method: string,
  path: string,
  options: { token?: string; body?: BodyInit; headers?: Record<string, string> } = {},
) {
  const { token = 'admin', body, headers = {} } = options
  return fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(typeof body === 'string' && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body }),
  })
}

const notes = '/api/v1/probe/shelves/left/notes'
const json = (value: unknown) => JSON.stringify(value)

test('a request whose headers never end is given up, however long a body may take', () => {
  expect(http.server.headersTimeout).toBe(60_000)
  expect(http.server.requestTimeout).toBe(0)
})

describe('problem details', () => {
  test.each([
    ['no token', () => send('GET', '/api/v1/jobs', { token: '' }), 401, 'unauthenticated'],
    ['an unknown token', () => send('GET', '/api/v1/jobs', { token: 'pave_x' }), 401, 'unauthenticated'],
    [
      'a cookie that is none',
      () => send('GET', '/api/v1/jobs', { token: '', headers: { cookie: 'pave_session=%' } }),
      401,
      'unauthenticated',
    ],
    [
      'no permission',
      () => send('POST', notes, { token: 'viewer', body: json({ text: 'a' }) }),
      403,
      'permission_denied',
    ],
    ['an unknown path', () => send('GET', '/api/v1/nothing'), 404, 'not_found'],
    ['malformed JSON', () => send('POST', notes, { body: '{"text": ' }), 400, 'malformed_body'],
    ['an empty body', () => send('POST', notes, { body: '' }), 400, 'malformed_body'],
    ['a list in place of an object', () => send('POST', notes, { body: '[]' }), 400, 'malformed_body'],
    ['a poisoned prototype', () => send('POST', notes, { body: '{"__proto__": {"a": 1}}' }), 400, 'malformed_body'],
    [
      'another content type',
      () => send('POST', notes, { body: 'a', headers: { 'content-type': 'text/plain' } }),
      400,
      'malformed_body',
    ],
    ['a huge body', () => send('POST', notes, { body: json({ text: 'x'.repeat(2 ** 21) }) }), 413, 'body_too_large'],
    ['wrong input', () => send('POST', notes, { body: json({ text: 1 }) }), 422, 'invalid_input'],
    ['a wrong cursor', () => send('GET', '/api/v1/jobs?cursor=xyz'), 422, 'invalid_input'],
    ['an id that is none', () => send('GET', '/api/v1/jobs/abc'), 422, 'invalid_input'],
    [
      'a wrong query of a route without declaration',
      () => send('GET', '/internal/v1/serving-plan', { token: 'node' }),
      422,
      'invalid_input',
    ],
    [
      'a long idempotency key',
      () => send('POST', notes, { body: json({ text: 'a' }), headers: { 'idempotency-key': 'k'.repeat(256) } }),
      422,
      'invalid_input',
    ],
    ['a defect', () => send('POST', notes, { body: json({ text: 'a', ending: 'broken' }) }), 500, 'internal'],
  ])('%s', async (_, attempt, status, code) => {
    const response = await attempt()
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    const problem = await response.json()
    expect(problem).toMatchObject({ status, code, detail: expect.any(String), hint: expect.stringMatching(/.{10}/) })
    expect(problem.instance).toBe(response.headers.get('x-request-id'))
    expect(JSON.stringify(problem)).not.toContain('a defect')
  })

  test('point at each wrong field', async () => {
    const { problems } = await (await send('POST', notes, { body: json({ text: 1, count: 'x' }) })).json()
    expect(problems).toEqual([
      { pointer: '/text', message: expect.any(String) },
      { pointer: '/count', message: expect.any(String) },
    ])
  })

  test('refusals for want of a token are counted, not entered', async () => {
    await send('GET', '/api/v1/jobs', { token: '' })
    const metrics = await (await send('GET', '/metrics', { token: '' })).text()
    expect(metrics).toMatch(/pave_unauthenticated_requests_total [1-9]/)
  })
})

describe('a declared route', () => {
  test('takes input from path, query and body, and reads numbers in a query', async () => {
    const response = await send('POST', `${notes}?count=3`, { body: json({ text: 'mixed' }) })
    expect(await response.json()).toMatchObject({ text: 'mixed' })
    expect((await send('POST', `${notes}?count=many`, { body: json({ text: 'mixed' }) })).status).toBe(422)
  })

  test('the path decides, whatever the body says', async () => {
    actors.set('left', {
      ...systemActor(workspace),
      kind: 'user',
      id: platform.ids.next(),
      grants: [{ verbs: ['note:write'], scope: { shelf: 'left' } }],
    })
    const body = json({ shelf: 'left', text: 'sly' })
    expect((await send('POST', '/api/v1/probe/shelves/right/notes?shelf=left', { token: 'left', body })).status).toBe(
      403,
    )
  })

  test('replays an answer under its idempotency key, and says so', async () => {
    const headers = { 'idempotency-key': 'http' }
    const first = await send('POST', notes, { body: json({ text: 'http' }), headers })
    const second = await send('POST', notes, { body: json({ text: 'http' }), headers })
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    expect((await second.json()).id).toBe((await first.json()).id)
  })

  test('gives a tag and takes it back', async () => {
    const path = '/api/v1/probe/shelves/left/named/tagged'
    const put = await send('PUT', path, { body: json({ spec: { text: 'one' } }) })
    const etag = put.headers.get('etag') ?? ''
    expect((await send('GET', path)).headers.get('etag')).toBe(etag)
    const update = (text: string) =>
      send('PUT', path, { body: json({ spec: { text } }), headers: { 'if-match': etag } })
    expect((await update('two')).status).toBe(200)
    expect((await update('three')).status).toBe(412)
  })

  test('answers 202 when it waits', async () => {
    gate.verdict = { verdict: 'pending', evidence: {}, quorum: 1, excluded: [], expiresInMs: 60_000 }
    const response = await send('POST', '/api/v1/probe/guarded-notes', { body: json({ shelf: 's', text: 't' }) })
    expect(response.status).toBe(202)
    expect(await response.json()).toMatchObject({ pending: { state: 'pending', quorum: 1 } })
  })

  describe('takes a session cookie from its own pages only', () => {
    const port = () => new URL(url).port
    /** What a browser sends; fetch would set some of these itself. */
    function browse(method: string, headers: Record<string, string>, path = notes): Promise<[number, string]> {
      return new Promise((resolve, reject) => {
        const options = { method, headers: { 'content-type': 'application/json', ...headers } }
        const request = httpRequest(`${url}${path}`, options, async (response) => {
          const { code = '' } = JSON.parse((await response.toArray()).join(''))
          resolve([response.statusCode ?? 0, code])
        })
        request.on('error', reject).end(method === 'GET' ? undefined : json({ text: 'by cookie' }))
      })
    }
    const cookie = 'pave_session=admin'
    const home = () => `localhost:${port()}`

    test.each<[string, string, () => Record<string, string>, number, string]>([
      ['of this very page', 'POST', () => ({ 'sec-fetch-site': 'same-origin', origin: `http://${home()}` }), 200, ''],
      ['of an older browser', 'POST', () => ({ origin: `http://${home()}` }), 200, ''],
      ['to read, of an older browser', 'GET', () => ({}), 200, ''],
      ['of a neighbour on another port', 'POST', () => ({ 'sec-fetch-site': 'same-site' }), 403, 'cross_site_request'],
      ['of another site', 'GET', () => ({ 'sec-fetch-site': 'cross-site' }), 403, 'cross_site_request'],
      ['of another origin', 'POST', () => ({ origin: 'http://localhost:1' }), 403, 'cross_site_request'],
      ['of an opaque origin', 'POST', () => ({ origin: 'null' }), 403, 'cross_site_request'],
      ['to write, of nobody knows where', 'POST', () => ({}), 403, 'cross_site_request'],
      [
        'under a name that was made to lead here',
        'GET',
        () => ({ host: `evil.example:${port()}`, 'sec-fetch-site': 'same-origin' }),
        421,
        'host_unknown',
      ],
      ['under an address', 'GET', () => ({ host: '10.1.2.3', 'sec-fetch-site': 'same-origin' }), 200, ''],
    ])('%s', async (_, method, headers, status, code) => {
      const path = method === 'GET' ? '/api/v1/jobs' : notes
      expect(await browse(method, { host: home(), cookie, ...headers() }, path)).toEqual([status, code])
    })

    test('and a token under any name, from any page', async () => {
      const headers = { authorization: 'Bearer admin', host: 'behind.a.proxy', 'sec-fetch-site': 'cross-site' }
      expect(await browse('POST', headers)).toEqual([200, ''])
    })

    test('and no sign-in that another page began', async () => {
      const signIn = (headers: Record<string, string>) =>
        browse('POST', { host: home(), ...headers }, '/console/session')
      expect(await signIn({ origin: 'https://evil.example' })).toEqual([403, 'cross_site_request'])
      expect(await signIn({ host: 'evil.example' })).toEqual([421, 'host_unknown'])
    })
  })
})

describe('every operation', () => {
  const operations = [...platform.operations.values()].filter((one) => one.path.startsWith('/'))

  test.each(operations.map((one) => [one.name, one] as const))(
    '%s wants a token and a permission',
    async (_, operation) => {
      const path = operation.path.replaceAll(/:[a-zA-Z]+/g, 'x')
      const body = operation.method === 'GET' ? {} : { body: '{}' }
      const denied = await send(operation.method, path, { token: '', ...body })
      expect(denied.status).toBe(operation.permission === 'public' ? denied.status : 401)
      if (typeof operation.permission === 'string') return
      expect(operation.permission.verb).toMatch(/^[a-z-]+:[a-z-]+$/)
      const fields = new Set(
        Object.keys(operation.input.toJSONSchema({ io: 'input', unrepresentable: 'any' }).properties ?? {}),
      )
      // A scope on a field that the input lacks could never be met.
      for (const field of operation.permission.on) expect(fields).toContain(field)
      for (const parameter of pathParameters(operation.path)) expect(fields).toContain(parameter)
    },
  )

  test('has error codes that are declared somewhere', () => {
    const known = new Set(platform.modules.flatMap((module) => Object.keys(module.errors ?? {})))
    const unknown = operations.flatMap((one) =>
      one.errors.filter((code) => !known.has(code)).map((code) => `${one.name}: ${code}`),
    )
    expect(unknown).toEqual([])
  })

  interface Described {
    operationId: string
    parameters: { name: string; in: string; required: boolean; schema: object }[]
    requestBody?: { content: Record<string, { schema: object }> }
    responses: Record<string, { content?: Record<string, { schema: object }> }>
  }

  test('is in an OpenAPI 3.1 document whose schemas compile and whose references lead somewhere', async () => {
    const document = await (await send('GET', '/openapi.json', { token: '' })).json()
    expect(document.openapi).toMatch(/^3\.1\./)
    const found: string[] = []
    const paths: Record<string, Record<string, Described>> = document.paths
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    ajv.addSchema({ $id: 'pave:', components: document.components })
    const compile = (schema: object | undefined) => {
      const text = JSON.stringify(schema ?? true).replaceAll('"#/components', '"pave:#/components')
      ajv.compile(JSON.parse(text))
    }
    for (const [path, methods] of Object.entries(paths)) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      for (const { operationId, parameters, requestBody, responses } of Object.values(methods)) {
        found.push(operationId)
        expect(parameters.filter((one) => one.in === 'path').map((one) => one.name)).toEqual(named)
        expect(parameters.every((one) => one.in !== 'path' || one.required)).toBe(true)
        for (const { schema } of parameters) compile(schema)
        compile(requestBody?.content['application/json']?.schema)
        for (const response of Object.values(responses)) compile(response.content?.['application/json']?.schema)
      }
    }
    expect(found.sort()).toEqual(operations.map((one) => one.name).sort())
    for (const reference of JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)) {
      const target = (reference[1] ?? '')
        .split('/')
        .slice(1)
        .reduce((node, part) => node?.[part], document)
      expect(target, `nothing is at ${reference[1]}`).toBeDefined()
    }
  })
})

describe('server-sent events', () => {
  async function open(token: string) {
    const leave = new AbortController()
    const response = await fetch(`${url}/api/v1/events`, {
      headers: { authorization: `Bearer ${token}` },
      signal: leave.signal,
    })
    let text = ''
    void (async () => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString()
    })().catch(() => {})
    return { status: response.status, text: () => text, leave: () => leave.abort() }
  }

  test('tell each follower of its own workspace alone', async () => {
    const [mine, theirs] = [await open('viewer'), await open('stranger')]
    const { id } = await (await send('POST', notes, { body: json({ text: 'told' }) })).json()
    await vi.waitFor(() => expect(mine.text()).toContain(id), 5_000)
    expect(mine.text()).toMatch(/event: entry\ndata: \{.*"operation":"write-note"/)
    expect(theirs.text()).not.toContain('event: entry')
    mine.leave()
    theirs.leave()
  })

  test('are for readers of the ledger', async () => {
    const node = await open('node')
    expect(node.status).toBe(403)
    node.leave()
  })
})

describe('objects', () => {
  const bytes = Buffer.alloc(3 * 2 ** 20, 'pave')
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const path = `/api/v1/objects/${digest}`

  test('stream in and out whole, beyond what a body may hold', async () => {
    const stored = await send('POST', '/api/v1/objects', {
      body: bytes,
      headers: { 'content-type': 'application/octet-stream' },
    })
    expect(await stored.json()).toEqual({ digest, size: bytes.length })
    const response = await send('GET', path)
    expect(response.headers.get('etag')).toBe(`"${digest}"`)
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
    expect((await send('HEAD', path)).status).toBe(200)
  })

  test('another workspace sees nothing, and cannot enter what it only knows the name of', async () => {
    expect((await send('GET', path, { token: 'stranger' })).status).toBe(404)
    const claim = await send('POST', '/api/v1/object-records', {
      token: 'stranger',
      body: json({ digest, size: bytes.length }),
    })
    expect(claim.status).toBe(403)
    await expect(
      platform.run(recordObject, { actor: await suite.as('ada'), input: { digest, size: 1 } }),
    ).rejects.toMatchObject({ status: 403 })
    expect((await send('GET', path, { token: 'stranger' })).status).toBe(404)
  })

  test('bytes that are not those announced are refused', async () => {
    const response = await send('POST', '/api/v1/objects', {
      body: Buffer.from('other bytes'),
      headers: { 'content-type': 'application/octet-stream', 'x-pave-digest': digest },
    })
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(response.status).toBeLessThan(500)
  })

  test('an upload that breaks off leaves nothing', async () => {
    const body = Buffer.from('broken off')
    const upload = httpRequest(`${url}/api/v1/objects`, {
      method: 'POST',
      headers: { authorization: 'Bearer admin', 'content-type': 'application/octet-stream', 'content-length': 1000 },
    })
    upload.on('error', () => {})
    upload.write(body)
    await vi.waitFor(() => expect(upload.socket?.bytesWritten).toBeGreaterThan(body.length), 5_000)
    const closed = once(upload, 'close').catch(() => {})
    upload.destroy()
    await closed
    const whole = `sha256:${createHash('sha256').update(body).digest('hex')}`
    expect(await platform.services.objects.stat(whole)).toBeUndefined()
  })

  test.each([
    ['one that is none', '/api/v1/objects/sha256:abc'],
    ['a way out of the store', `/api/v1/objects/${encodeURIComponent('../../ledger/checkpoints')}`],
  ])('%s is not found', async (_, wrong) => {
    expect((await send('GET', wrong)).status).toBe(404)
  })

  test('need permission', async () => {
    expect(
      (
        await send('POST', '/api/v1/objects', {
          token: 'viewer',
          body: bytes,
          headers: { 'content-type': 'application/octet-stream' },
        })
      ).status,
    ).toBe(403)
  })
})

test('a schema for editors is published for each kind', async () => {
  const schema = await (await send('GET', '/schemas/Note.json', { token: '' })).json()
  expect(schema).toMatchObject({ title: 'Note', properties: { kind: { const: 'Note' } } })
})

test('a trace id is taken from the caller', async () => {
  const traceId = 'ab'.repeat(16)
  await send('POST', notes, {
    body: json({ text: 'traced' }),
    headers: { traceparent: `00-${traceId}-${'cd'.repeat(8)}-01` },
  })
  const { rows } = await platform.systemPool.query(`select 1 from ledger.entry where operation = $1 and body like $2`, [
    writeNote.name,
    `%"traceId":"${traceId}"%`,
  ])
  expect(rows).toHaveLength(1)
})
