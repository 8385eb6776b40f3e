import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { LookupFunction } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, it } from 'vitest'
import { createEgress, type Egress, type EgressOptions } from './egress.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A server on all of the machine's addresses; returns its port and what it was asked. */
async function serve(
  listener: RequestListener,
): Promise<{ port: number; requests: IncomingMessage[]; server: Server }> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    listener(request, response)
  })
  server.listen(0)
  await once(server, 'listening')
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port')
  return { port: address.port, requests, server }
}

/** A resolver that knows no other names, and gives the answers of a name in turn, the last one for ever. */
function resolver(names: Record<string, string[][]>): { lookup: LookupFunction; asked: string[] } {
  const asked: string[] = []
  const lookup: LookupFunction = (hostname, _options, callback) => {
    const answers = names[hostname]
    const answer = answers && (answers.length > 1 ? answers.shift() : answers[0])
    asked.push(hostname)
    if (answer === undefined) callback(Object.assign(new Error(`ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' }), [])
    else
      callback(
        null,
        answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
  }
  return { lookup, asked }
}

function egressTo(options: EgressOptions = {}): Egress {
  const { lookup } = resolver({ 'ok.test': [['127.0.0.1']], 'other.test': [['127.0.0.1']] })
  const egress = createEgress({ allowPrivate: ['ok.test', 'other.test'], lookup, ...options })
  cleanups.push(() => egress.close())
  return egress
}

const echo: RequestListener = async (request, response) => {
  const body = await text(request)
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }))
}

it('sends and receives', async () => {
  const { port } = await serve(echo)
  const url = `http://ok.test:${port}/path?query=1#fragment`
  const response = await egressTo().fetch(url, { method: 'POST', headers: { 'X-Key': 'v' }, body: 'hello' })
  expect(response).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } })
  expect(JSON.parse(response.body.toString())).toMatchObject({
    method: 'POST',
    url: '/path?query=1',
    headers: { 'x-key': 'v', host: `ok.test:${port}` },
    body: 'hello',
  })
})

it('takes any status for an answer', async () => {
  const { port } = await serve((_, response) => response.writeHead(500, { 'set-cookie': ['a=1', 'b=2'] }).end('oops'))
  const response = await egressTo().fetch(`http://ok.test:${port}`)
  expect(response).toMatchObject({ status: 500, body: Buffer.from('oops'), headers: { 'set-cookie': 'a=1, b=2' } })
})

it.each([
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '0',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[0:0:0:0:0:ffff:7f00:1]',
  '１２７.0.0.1',
])('refuses this machine written as %s', async (host) => {
  const { port, requests } = await serve(echo)
  await expect(egressTo().fetch(`http://${host}:${port}/`)).rejects.toMatchObject({
    code: 'egress_address_refused',
    status: 422,
    hint: expect.stringContaining('allowed private addresses'),
  })
  expect(requests).toHaveLength(0)
})

it('refuses names of this machine by the system’s own resolver', async () => {
  const { port, requests } = await serve(echo)
  const egress = createEgress()
  for (const host of ['localhost', 'LOCALHOST'])
    await expect(egress.fetch(`http://${host}:${port}/`)).rejects.toMatchObject({ code: 'egress_address_refused' })
  await egress.close()
  expect(requests).toHaveLength(0)
})

it('checks a URL without a request, as a request would be checked', async () => {
  const { port, requests } = await serve(echo)
  const names = {
    'public.test': [['93.184.215.14']],
    'inside.test': [['10.0.0.7', '169.254.169.254']],
    'ok.test': [['127.0.0.1']],
  }
  const egress = egressTo({ lookup: resolver(names).lookup })
  await egress.check(`http://ok.test:${port}/`)
  await egress.check('https://public.test/hook')
  await egress.check('https://93.184.215.14/hook')
  const codeOf = (url: string) =>
    egress.check(url).then(
      () => 'allowed',
      ({ code }) => code,
    )
  for (const host of [
    '169.254.169.254',
    '[::1]',
    '[::ffff:a9fe:a9fe]',
    '2130706433',
    '0177.0.0.1',
    '10.1',
    'inside.test',
  ])
    expect([host, await codeOf(`http://${host}/`)]).toEqual([host, 'egress_address_refused'])
  for (const url of ['ftp://public.test/', 'file:///etc/passwd', 'hook', 'http://user:word@public.test/'])
    expect([url, await codeOf(url)]).toEqual([url, 'egress_url_invalid'])
  expect(await codeOf('https://nowhere.test/')).toBe('egress_unreachable')
  expect(requests).toHaveLength(0)
})

it('connects to the very address that it checked, and checks each connection', async () => {
  const { port, requests } = await serve((_, response) => response.setHeader('connection', 'close').end())
  const { lookup, asked } = resolver({ 'rebind.test': [['127.0.0.1'], ['::1']] })
  const egress = egressTo({ lookup, allowPrivate: ['127.0.0.1'] })
  await egress.fetch(`http://rebind.test:${port}/first`)
  expect(asked).toEqual(['rebind.test'])
  await expect(egress.fetch(`http://rebind.test:${port}/second`)).rejects.toMatchObject({
    code: 'egress_address_refused',
    message: expect.stringContaining('::1'),
  })
  expect(requests.map(({ url }) => url)).toEqual(['/first'])
})

it('uses only the good addresses of a name that has both', async () => {
  const { port } = await serve((request, response) => response.end(request.socket.localAddress))
  const { lookup } = resolver({ 'mixed.test': [['::1', '127.0.0.1', '10.0.0.1']] })
  const { body } = await egressTo({ lookup, allowPrivate: ['127.0.0.1/32'] }).fetch(`http://mixed.test:${port}/`)
  expect(body.toString()).toContain('127.0.0.1')
})

it('checks where a redirect leads', async () => {
  const { port, requests } = await serve((request, response) =>
    response.writeHead(302, { location: decodeURIComponent(String(request.url).slice(1)) }).end(),
  )
  const redirected = (to: string) => egressTo().fetch(`http://ok.test:${port}/${encodeURIComponent(to)}`)
  const refused = { code: 'egress_address_refused' }
  await expect(redirected(`http://127.0.0.1:${port}/secret`)).rejects.toMatchObject(refused)
  await expect(redirected(`//2130706433:${port}/secret`)).rejects.toMatchObject(refused)
  await expect(redirected('http://169.254.169.254/latest')).rejects.toMatchObject(refused)
  await expect(redirected('file:///etc/passwd')).rejects.toMatchObject({ code: 'egress_url_invalid' })
  expect(requests.map(({ url }) => url)).not.toContain('/secret')
})

it('follows redirects as browsers do', async () => {
  const { port } = await serve((request, response) => {
    const status = Number(/^\/(30\d)$/.exec(String(request.url))?.[1])
    if (status) response.writeHead(status, { location: '/end' }).end()
    else void echo(request, response)
  })
  const end = async (status: number, method: 'POST' | 'PUT') => {
    const request = { method, headers: { 'content-type': 'text/plain', authorization: 'secret' }, body: 'hello' }
    const response = await egressTo().fetch(`http://ok.test:${port}/${status}`, request)
    expect(response.url).toBe(`http://ok.test:${port}/end`)
    const seen = JSON.parse(response.body.toString())
    expect(seen.headers.authorization).toBe('secret')
    return [seen.method, seen.body, seen.headers['content-type']]
  }
  const kept = (method: string) => [method, 'hello', 'text/plain']
  expect(await end(301, 'POST')).toEqual(['GET', '', undefined])
  expect(await end(302, 'POST')).toEqual(['GET', '', undefined])
  expect(await end(302, 'PUT')).toEqual(kept('PUT'))
  expect(await end(303, 'PUT')).toEqual(['GET', '', undefined])
  expect(await end(307, 'POST')).toEqual(kept('POST'))
  expect(await end(308, 'PUT')).toEqual(kept('PUT'))
})

it('tells another origin no secrets', async () => {
  const { port: end } = await serve(echo)
  const { port } = await serve((_, response) =>
    response.writeHead(307, { location: `http://other.test:${end}/` }).end(),
  )
  const headers = { Authorization: 'Bearer t', Cookie: 'c', 'X-Api-Key': 'k', Accept: 'text/html' }
  const response = await egressTo().fetch(`http://ok.test:${port}/`, { headers })
  const seen = JSON.parse(response.body.toString()).headers
  expect(seen).toMatchObject({ accept: 'text/html', host: `other.test:${end}` })
  expect(JSON.stringify(seen)).not.toMatch(/authorization|cookie|api-key/i)
})

it('gives up after too many redirects', async () => {
  const { port, requests } = await serve((_, response) => response.writeHead(302, { location: '/' }).end())
  const url = `http://ok.test:${port}/`
  await expect(egressTo().fetch(url)).rejects.toMatchObject({ code: 'egress_too_many_redirects' })
  expect(requests).toHaveLength(6)
  await expect(egressTo().fetch(url, { maxRedirects: 0 })).rejects.toMatchObject({ code: 'egress_too_many_redirects' })
  expect(requests).toHaveLength(7)
})

it('waits no longer than it may, for headers or for the rest of a body', async () => {
  const { port } = await serve((request, response) => {
    if (request.url === '/body') response.write('beginning')
  })
  for (const path of ['headers', 'body'])
    await expect(egressTo().fetch(`http://ok.test:${port}/${path}`, { timeoutMs: 150 })).rejects.toMatchObject({
      code: 'egress_timeout',
      status: 504,
    })
})

it('lets go of a body that nobody reads', async () => {
  const { port, requests } = await serve((_, response) => response.write('beginning'))
  const { status } = await egressTo().stream(`http://ok.test:${port}/`, { timeoutMs: 100 })
  expect(status).toBe(200)
  await expect.poll(() => requests[0]?.socket.destroyed).toBe(true)
})

it('takes no more than it may', async () => {
  let closed = false
  const { port } = await serve((request, response) => {
    if (request.url === '/exact') return response.end(Buffer.alloc(1000))
    const more = () => !response.closed && response.write(Buffer.alloc(1000), more)
    response.once('close', () => {
      closed = true
    })
    return more()
  })
  const egress = egressTo()
  expect((await egress.fetch(`http://ok.test:${port}/exact`, { maxBytes: 1000 })).body).toHaveLength(1000)
  for (const path of ['exact', 'endless'])
    await expect(egress.fetch(`http://ok.test:${port}/${path}`, { maxBytes: 999 })).rejects.toMatchObject({
      code: 'egress_too_large',
    })
  await expect.poll(() => closed).toBe(true)
})

it('hands on a body while it arrives', async () => {
  let finish = () => {}
  const { port } = await serve((_, response) => {
    response.write('first')
    finish = () => response.end('last')
  })
  const { status, body } = await egressTo().stream(`http://ok.test:${port}/`)
  const seen: string[] = []
  for await (const chunk of body) {
    seen.push(chunk.toString())
    finish()
  }
  expect(status).toBe(200)
  expect(seen).toEqual(['first', 'last'])
})

it('stops for the reason that its caller gives', async () => {
  const { port } = await serve(() => {})
  const abort = new AbortController()
  const asked = egressTo().fetch(`http://ok.test:${port}/`, { signal: abort.signal })
  abort.abort(new Error('no longer wanted'))
  await expect(asked).rejects.toThrow('no longer wanted')
})

it('says what cannot be reached', async () => {
  const { port, server } = await serve(echo)
  server.close()
  const unreachable = { code: 'egress_unreachable', status: 502 }
  await expect(egressTo().fetch(`http://ok.test:${port}/`)).rejects.toMatchObject(unreachable)
  await expect(egressTo().fetch('http://nowhere.test/')).rejects.toMatchObject(unreachable)
})

it.each([
  'ftp://ok.test/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  '/path',
  '',
  'http://',
  'http://user:pass@ok.test/',
])('refuses the URL %s', async (url) => {
  await expect(egressTo().fetch(url)).rejects.toMatchObject({ code: 'egress_url_invalid', status: 422 })
})
