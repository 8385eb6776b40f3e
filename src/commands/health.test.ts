import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '#platform/config.ts'
import { ensureOwnCertificate } from '#platform/tls/own-authority.ts'
import { health } from './health.ts'

const well: RequestListener = (_request, response) => void response.end('{"status":"ok"}')
const ill: RequestListener = (_request, response) => void response.writeHead(503).end()
const silent: RequestListener = () => {}

async function listening(answer: RequestListener, tls?: { cert: string; key: string }): Promise<string> {
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return String((server.address() as AddressInfo).port)
}

/** A port on which nothing listens any more. */
async function closed(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return String(port)
}

async function ask(ports: { server: string; node: string; worker: string }, args: string[] = [], more = {}) {
  const { server: PAVE_PORT, node: PAVE_INFERENCE_PORT, worker: PAVE_WORKER_PORT } = ports
  const lines: string[] = []
  const config = loadConfig({ PAVE_PORT, PAVE_INFERENCE_PORT, PAVE_WORKER_PORT, ...more })
  const code = await health(args, config, { out: (line) => lines.push(line), err: (line) => lines.push(line) })
  return { code, said: lines.join('\n') }
}

test('whatever listens has to be well, and what does not run here is nobody’s fault', async () => {
  const [absent, up] = [await closed(), await listening(well)]
  expect(await ask({ server: up, node: absent, worker: absent })).toEqual({ code: 0, said: 'control plane: ok' })
  const both = { server: absent, node: up, worker: await listening(ill) }
  expect(await ask(both)).toEqual({
    code: 1,
    said: expect.stringMatching(/^inference node: ok; worker: .* answers 503$/),
  })
})

test('nothing at all is not well', async () => {
  const absent = await closed()
  const { code, said } = await ask({ server: absent, node: absent, worker: absent })
  expect([code, said]).toEqual([1, expect.stringContaining(`127.0.0.1:${absent}/health ECONNREFUSED`)])
})

test('a part that is named has to answer, and no other is asked', async () => {
  const ports = { server: await listening(ill), node: await closed(), worker: await listening(well) }
  expect(await ask(ports, ['--worker'])).toEqual({ code: 0, said: 'worker: ok' })
  expect((await ask(ports, ['--worker', '--node'])).code).toBe(1)
})

test('a server that takes the connection and says nothing is given up', async () => {
  const absent = await closed()
  const { code, said } = await ask({ server: await listening(silent), node: absent, worker: absent })
  expect([code, said]).toEqual([1, expect.stringContaining('no answer within 3 s')])
})

test('a certificate for other names is no matter: only this machine is asked', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pave-health-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const files = await ensureOwnCertificate(directory, { names: ['elsewhere'], now: Date.now() })
  const [cert, key] = await Promise.all([readFile(files.cert, 'utf8'), readFile(files.key, 'utf8')])
  const [secure, plain, absent] = [await listening(well, { cert, key }), await listening(well), await closed()]
  const more = { PAVE_TLS: 'self-signed' }
  expect(await ask({ server: secure, node: absent, worker: plain }, [], more)).toEqual({
    code: 0,
    said: 'control plane: ok; worker: ok',
  })
})
