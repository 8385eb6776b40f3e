import { hash, X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer as createPlainServer } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { JoinTicket } from '#platform/join-ticket.ts'
import { ensureOwnCertificate } from '#platform/tls/own-authority.ts'
import { startFakeControlPlane } from './fake-control-plane.ts'
import { isExposed, joinControlPlane, joinTicketOf } from './join-control-plane.ts'
import { keyId, readTrustedKeys } from './verify-plan.ts'

const fake = await startFakeControlPlane()
const planKeys = [...readTrustedKeys(fake.publicKey).keys()]
const directory = await mkdtemp(join(tmpdir(), 'pave-join-'))
let honest: Identity
let other: Identity
beforeAll(async () => {
  honest = await identity('honest')
  other = await identity('other')
})
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})
afterAll(async () => {
  await fake.stop()
  await rm(directory, { recursive: true, force: true })
})

interface Identity {
  cert: string
  key: string
  ca: string
  pin: string
}

async function identity(name: string, names = ['127.0.0.1']): Promise<Identity> {
  const files = await ensureOwnCertificate(join(directory, name), { names, now: Date.now() })
  const [cert, key, ca] = await Promise.all([files.cert, files.key, files.ca].map((file) => readFile(file, 'utf8')))
  if (cert === undefined || key === undefined || ca === undefined) throw new Error('a file is missing')
  return { cert, key, ca, pin: pinOf(ca) }
}

const pinOf = (pem: string) =>
  hash('sha256', new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' }), 'hex')

const given = {
  node: 'edge-1',
  workspace: '018f0000-0000-7000-8000-000000000001',
  environment: 'prod',
  token: 'pave_x',
  planPublicKey: fake.publicKey,
  authority: null,
  onlineUrl: null,
}

/** A control plane that answers this; `heard` is what it was told. */
async function controlPlane(secure: { cert: string; key: string } | undefined, answer: object = given, status = 200) {
  const heard: string[] = []
  const server = secure === undefined ? createPlainServer() : createServer(secure)
  server.on('request', async (request, response) => {
    heard.push((await request.toArray()).join(''))
    response.writeHead(status).end(JSON.stringify(answer))
  })
  servers.push(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { heard, address: `${secure === undefined ? 'http' : 'https'}://127.0.0.1:${port}` }
}

const ticketFor = (addresses: string[], pin: string | null): JoinTicket => ({
  v: 1,
  secret: 'the secret',
  environment: 'prod',
  addresses,
  pin,
  planKeys,
})

const impostor = { code: 'join_refused_impostor' }

test('the control plane that made the ticket is told the secret, and its answer is kept', async () => {
  const { address, heard } = await controlPlane(honest)
  const joined = await joinControlPlane(ticketFor([address], honest.pin), 'edge-1')
  expect(joined).toEqual({ ...given, controlUrl: address })
  expect(heard).toEqual([JSON.stringify({ secret: 'the secret', node: 'edge-1' })])
})

test('a pin on the server certificate itself holds too', async () => {
  const { address } = await controlPlane(honest)
  await expect(joinControlPlane(ticketFor([address], pinOf(honest.cert)), 'edge-1')).resolves.toBeDefined()
})

test('the next address is tried when one does not answer', async () => {
  const { address } = await controlPlane(honest)
  const gone = 'https://127.0.0.1:1'
  expect(await joinControlPlane(ticketFor([gone, address], honest.pin), 'edge-1')).toMatchObject({
    controlUrl: address,
  })
  await expect(joinControlPlane(ticketFor([gone], honest.pin), 'edge-1')).rejects.toMatchObject({
    code: 'join_unreachable',
    message: expect.stringContaining('ECONNREFUSED'),
  })
})

test('whoever is in between with another certificate is told nothing', async () => {
  const { address, heard } = await controlPlane(other)
  await expect(joinControlPlane(ticketFor([address], honest.pin), 'edge-1')).rejects.toMatchObject(impostor)
  expect(heard).toEqual([])
})

test('nor is one that sends the pinned certificate along with its own', async () => {
  const leaf = new X509Certificate(other.cert).toString()
  const { address, heard } = await controlPlane({ cert: leaf + honest.ca, key: other.key })
  await expect(joinControlPlane(ticketFor([address], honest.pin), 'edge-1')).rejects.toMatchObject(impostor)
  expect(heard).toEqual([])
})

test('nor is one who lets the right one answer first', async () => {
  const [right, wrong] = [await controlPlane(honest), await controlPlane(other)]
  let connections = 0
  const between = createTcpServer((socket) => {
    const { port } = new URL(connections++ === 0 ? right.address : wrong.address)
    const onward = connectTcp(Number(port), '127.0.0.1')
    for (const one of [socket, onward]) one.on('error', () => {})
    socket.pipe(onward).pipe(socket)
  })
  servers.push(between)
  await new Promise<void>((resolve) => void between.listen(0, '127.0.0.1', resolve))
  const address = `https://127.0.0.1:${(between.address() as AddressInfo).port}`
  await expect(joinControlPlane(ticketFor([address], honest.pin), 'edge-1')).rejects.toMatchObject({
    code: 'join_unreachable',
    message: expect.stringMatching(/certificate/),
  })
  expect([connections, right.heard, wrong.heard]).toEqual([2, [], []])
})

test('nor is one without a certificate where the ticket promises one', async () => {
  const { address, heard } = await controlPlane(undefined)
  await expect(joinControlPlane(ticketFor([address], honest.pin), 'edge-1')).rejects.toMatchObject(impostor)
  expect(heard).toEqual([])
})

test('a certificate that is not for the address is refused', async () => {
  const { address, heard } = await controlPlane(await identity('elsewhere', ['elsewhere.example']))
  const pin = pinOf((await identity('elsewhere', ['elsewhere.example'])).ca)
  await expect(joinControlPlane(ticketFor([address], pin), 'edge-1')).rejects.toMatchObject({
    code: 'join_unreachable',
  })
  expect(heard).toEqual([])
})

test('an answer with another plan key, environment or name is refused', async () => {
  const stranger = await startFakeControlPlane()
  await stranger.stop()
  for (const change of [{ planPublicKey: stranger.publicKey }, { environment: 'staging' }, { node: 'edge-2' }]) {
    const { address } = await controlPlane(honest, { ...given, ...change })
    await expect(joinControlPlane(ticketFor([address], honest.pin), 'edge-1')).rejects.toMatchObject(impostor)
  }
  expect(planKeys).toEqual([...readTrustedKeys(fake.publicKey).values()].map(keyId))
})

test('a refusal keeps its code and its way out', async () => {
  const problem = { code: 'join_token_expired', detail: 'It expired', hint: 'Make another' }
  const { address } = await controlPlane(honest, problem, 403)
  await expect(joinControlPlane(ticketFor([address], honest.pin), 'edge-1')).rejects.toMatchObject({
    code: 'join_token_expired',
    status: 403,
    hint: 'Make another',
  })
})

test.each(['', 'pave-join-', 'pave_01a1_x', 'pave-join-eyJ2IjoxfQ', 'pave-join-!!!'])('%j is no join token', (text) => {
  expect(() => joinTicketOf(text)).toThrow(expect.objectContaining({ code: 'join_token_malformed' }))
})

test('an address without TLS counts as exposed unless it is this machine', () => {
  expect(isExposed(ticketFor(['http://10.0.0.1:7400'], null))).toBe(true)
  expect(isExposed(ticketFor(['http://127.0.0.1:7400', 'http://[::1]:7400', 'https://a.example'], null))).toBe(false)
})
