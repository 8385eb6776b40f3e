import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serveConsole } from './console-files.ts'

let scratch: string
let built: FastifyInstance
let unbuilt: FastifyInstance
const script = `console.log('${'pave '.repeat(200)}')`

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'pave-console-'))
  const directory = join(scratch, 'console')
  await mkdir(join(directory, 'assets'), { recursive: true })
  await writeFile(join(scratch, 'secret.txt'), 'secret')
  await writeFile(join(directory, 'index.html'), '<title>Pave</title>')
  await writeFile(join(directory, '.sources.json'), '"secret"')
  await writeFile(join(directory, 'assets', 'main-d1g35t.js'), script)
  await symlink(join(scratch, 'secret.txt'), join(directory, 'assets', 'link.txt'))
  built = withConsole(directory)
  unbuilt = withConsole(join(scratch, 'nothing'))
  await built.listen({ host: '127.0.0.1', port: 0 })
})

afterAll(async () => {
  await built.close()
  await unbuilt.close()
  await rm(scratch, { recursive: true })
})

function withConsole(directory: string): FastifyInstance {
  const app = Fastify()
  app.setNotFoundHandler((_request, reply) => reply.status(404).send({ code: 'not_found' }))
  app.get('/api/v1/endpoints', async () => ({ items: [] }))
  serveConsole(app, directory)
  return app
}

/** Sends the path as it stands: clients that follow the URL standard resolve dots before they send. */
async function rawGet(path: string, accept = '*/*'): Promise<{ status: number | undefined; body: string }> {
  const address = built.server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: string }>()
  request({ port, host: '127.0.0.1', path, headers: { accept } }, (response) => {
    text(response).then((body) => resolve({ status: response.statusCode, body }), reject)
  })
    .on('error', reject)
    .end()
  return promise
}

test.each([
  '/../secret.txt',
  '/assets/../../secret.txt',
  '/%2e%2e/secret.txt',
  '/..%2fsecret.txt',
  '/..%5csecret.txt',
  '/assets/..%2f..%2fsecret.txt',
  '/assets/%252e%252e/%252e%252e/secret.txt',
  '//secret.txt',
  '/assets/link.txt',
  '/.sources.json',
  '/assets/main-d1g35t.js%00.txt',
])('no path leads out of the built files: %s', async (path) => {
  for (const accept of ['*/*', 'text/html']) {
    const { status, body } = await rawGet(path, accept)
    expect(['secret', '"secret"']).not.toContain(body)
    if (accept === '*/*') expect(status).toBeGreaterThanOrEqual(400)
  }
})

test('hashed files may be kept for ever and come compressed to whoever can read that', async () => {
  const plain = await built.inject({ url: '/assets/main-d1g35t.js' })
  expect(plain.statusCode).toBe(200)
  expect(plain.headers['content-type']).toMatch('text/javascript')
  expect(plain.headers['cache-control']).toContain('immutable')
  expect(plain.body).toBe(script)
  const packed = await built.inject({ url: '/assets/main-d1g35t.js', headers: { 'accept-encoding': 'br, gzip' } })
  expect(packed.headers['content-encoding']).toBe('gzip')
  expect(gunzipSync(packed.rawPayload).toString()).toBe(script)
})

test('the page is asked for anew each time, and is not sent again when nothing changed', async () => {
  const page = await built.inject({ url: '/' })
  expect(page.body).toContain('<title>Pave</title>')
  expect(page.headers['cache-control']).toBe('no-cache')
  expect(page.headers['content-security-policy']).toContain("default-src 'self'")
  const again = await built.inject({ url: '/', headers: { 'if-none-match': String(page.headers.etag) } })
  expect(again.statusCode).toBe(304)
  expect(again.body).toBe('')
})

test('a browser gets the page at every path of the console, a client of the API gets its errors', async () => {
  const html = { accept: 'text/html,application/xhtml+xml' }
  expect((await built.inject({ url: '/sign-in?next=1', headers: html })).body).toContain('<title>Pave</title>')
  expect((await built.inject({ url: '/api/v1/endpoints', headers: html })).json()).toEqual({ items: [] })
  for (const url of ['/api/v1/nothing', '/internal/v1/nothing', '/v2/models/nothing']) {
    expect((await built.inject({ url, headers: html })).json()).toEqual({ code: 'not_found' })
  }
  expect((await built.inject({ url: '/sign-in', headers: { accept: 'application/json' } })).statusCode).toBe(404)
  expect((await built.inject({ url: '/', method: 'POST' })).statusCode).toBe(404)
})

test('without a built console the page says how to build it, and a later build is picked up', async () => {
  const before = await unbuilt.inject({ url: '/' })
  expect(before.statusCode).toBe(503)
  expect(before.body).toContain('npm run build:console')
  await mkdir(join(scratch, 'nothing'))
  await writeFile(join(scratch, 'nothing', 'index.html'), '<title>Built</title>')
  expect((await unbuilt.inject({ url: '/' })).body).toContain('<title>Built</title>')
})
