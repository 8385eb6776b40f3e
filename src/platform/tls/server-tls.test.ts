import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as plainRequest } from 'node:http'
import { Agent, request } from 'node:https'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fixedClock, systemClock } from '../clock.ts'
import { loadConfig } from '../config.ts'
import { createServer } from './create-server.ts'
import { ensureOwnCertificate } from './own-authority.ts'
import { openServerTls, type ServerTls } from './server-tls.ts'

let directory = ''
let files = { cert: '', key: '' }
const ends: Array<() => unknown> = []
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pave-tls-'))
  files = { cert: join(directory, 'server.crt'), key: join(directory, 'server.key') }
  await ensureOwnCertificate(directory, { names: ['127.0.0.1'], now: Date.now() })
})
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  await rm(directory, { recursive: true, force: true })
})

const warn = vi.fn()
const log = pino({ level: 'silent' })
log.warn = warn

async function open(clock = systemClock): Promise<ServerTls> {
  const config = loadConfig({ PAVE_TLS_CERT: files.cert, PAVE_TLS_KEY: files.key })
  const tls = await openServerTls({ config, directory, clock, log, pollMs: 10 })
  if (tls === undefined) throw new Error('there is no TLS')
  ends.push(() => tls.close())
  return tls
}

async function serve() {
  const listening = createServer(await open(), {}, (asked, response) => void response.end(asked.url))
  const { server } = listening
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  ends.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
        listening.endHandshakes()
      }),
  )
  return { port: (server.address() as AddressInfo).port, ...listening }
}

/** A pair for the same name, from the same place, made anew. */
async function freshPair() {
  const other = await mkdtemp(join(tmpdir(), 'pave-tls-'))
  ends.push(() => rm(other, { recursive: true, force: true }))
  return ensureOwnCertificate(other, { names: ['127.0.0.1'], now: Date.now() })
}

function serialOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber)
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

describe('a certificate in files', () => {
  test('is replaced while requests run, and none of them fails', async () => {
    const { port } = await serve()
    const before = await serialOf(port)
    const agent = new Agent({ keepAlive: true, rejectUnauthorized: false })
    const outcomes: unknown[] = []
    let stopped = false
    const ask = (options: object) =>
      new Promise((resolve) => {
        request({ host: '127.0.0.1', port, path: '/x', rejectUnauthorized: false, ...options }, (response) => {
          response.resume().once('end', () => resolve(response.statusCode))
        })
          .once('error', resolve)
          .end()
      })
    // One keeps its connection, the other makes a new one each time.
    const running = [{ agent }, { agent: false }].map(async (options) => {
      while (!stopped) outcomes.push(await ask(options))
    })
    const fresh = await freshPair()
    await cp(fresh.cert, files.cert)
    // Between the two halves the pair is none, and the one in force stays.
    await vi.waitFor(() =>
      expect(warn).toHaveBeenCalledWith({ reason: expect.stringContaining(files.key) }, expect.anything()),
    )
    expect(await serialOf(port)).toBe(before)
    await cp(fresh.key, files.key)
    await vi.waitFor(async () => expect(await serialOf(port)).not.toBe(before), 5_000)
    stopped = true
    await Promise.all(running)
    agent.destroy()
    expect(new Set(outcomes)).toEqual(new Set([200]))
    expect(outcomes.length).toBeGreaterThan(10)
  })

  test.each<[string, () => Promise<unknown>, () => string]>([
    ['of another key', async () => cp((await freshPair()).key, files.key), () => files.key],
    ['that is no certificate', () => writeFile(files.cert, 'hello'), () => files.cert],
    ['that is missing', () => rm(files.cert), () => files.cert],
    ['whose key is no key', () => writeFile(files.key, 'hello'), () => files.key],
  ])('%s is refused at the start, by the name of its file', async (_, spoil, file) => {
    await spoil()
    const refused = { code: 'tls_certificate_invalid', message: expect.stringContaining(file()) }
    await expect(open()).rejects.toMatchObject(refused)
  })

  test('that has expired, or is not valid yet, is refused at the start', async () => {
    const inYears = (years: number) => fixedClock(new Date(Date.now() + years * 365 * 86_400_000).toISOString())
    await expect(open(inYears(1))).rejects.toMatchObject({ message: expect.stringMatching(/server\.crt expired on/) })
    await expect(open(inYears(-1))).rejects.toMatchObject({ message: expect.stringMatching(/is not valid before/) })
  })
})

describe('a TLS port', () => {
  test('tells whoever speaks plain HTTP what to do instead', async () => {
    const { port } = await serve()
    const body = await new Promise<string>((resolve, reject) => {
      plainRequest({ host: '127.0.0.1', port }, async (response) => {
        resolve((await response.toArray()).join(''))
      })
        .once('error', reject)
        .end()
    })
    expect(JSON.parse(body)).toMatchObject({ code: 'https_required', hint: expect.stringContaining('https://') })
  })

  test('speaks TLS 1.2 and newer only', async () => {
    const { port } = await serve()
    const speak = (version: 'TLSv1.1' | 'TLSv1.2') =>
      new Promise<string>((resolve) => {
        const options = { rejectUnauthorized: false, minVersion: version, maxVersion: version }
        const ciphers = 'DEFAULT:@SECLEVEL=0'
        const socket = connect({ host: '127.0.0.1', port, ciphers, ...options }, () => {
          resolve(socket.getProtocol() ?? '')
          socket.destroy()
        })
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
      })
    expect(await speak('TLSv1.2')).toBe('TLSv1.2')
    expect(await speak('TLSv1.1')).toMatch(/ERR_SSL/)
  })

  test('stops without waiting for those who never finish their handshake', async () => {
    const { port, server, endHandshakes } = await serve()
    const silent = connectTcp(port, '127.0.0.1')
    const halfway = connectTcp(port, '127.0.0.1', () => halfway.write(Buffer.from([0x16, 3, 1])))
    for (const socket of [silent, halfway]) socket.on('error', () => {})
    await vi.waitFor(() => expect([halfway.bytesWritten, silent.readyState]).toEqual([3, 'open']))
    await serialOf(port)
    const started = performance.now()
    await new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
      endHandshakes()
    })
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})
