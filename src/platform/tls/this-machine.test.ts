import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { loadConfig } from '../config.ts'
import { createServer } from './create-server.ts'
import { ensureOwnCertificate, type OwnCertificateFiles } from './own-authority.ts'
import { controlPlaneUrl, localUrl, reachableUrl, serverNames } from './server-names.ts'
import { openServerTls } from './server-tls.ts'
import { requireTrusted, urlOnThisMachine } from './this-machine.ts'
import { localAuthorities, trustAuthorities, trustConfigured } from './trust.ts'

let directory = ''
let files: OwnCertificateFiles
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pave-tls-'))
  files = await ensureOwnCertificate(directory, { names: ['pave.example', '10.0.0.1'], now: Date.now() })
})
afterAll(() => rm(directory, { recursive: true, force: true }))

async function tlsOf(environment: Record<string, string>) {
  const config = loadConfig({ PAVE_TLS_CERT: files.cert, PAVE_TLS_KEY: files.key, ...environment })
  const log = pino({ level: 'silent' })
  const tls = await openServerTls({ config, directory, clock: systemClock, log })
  tls?.close()
  return { config, tls }
}

describe('settings', () => {
  test('of one kind of TLS exclude those of another', () => {
    expect(loadConfig({}).tls).toEqual({ kind: 'off' })
    expect(loadConfig({ PAVE_TLS: 'proxy' }).tls).toEqual({ kind: 'proxy' })
    const invalid = expect.objectContaining({ code: 'invalid_configuration' })
    expect(() => loadConfig({ PAVE_TLS: 'self-signed', PAVE_TLS_CERT: 'a', PAVE_TLS_KEY: 'b' })).toThrow(invalid)
    expect(() => loadConfig({ PAVE_TLS_CERT: 'a' })).toThrow(invalid)
    expect(() => loadConfig({ PAVE_TLS: 'yes' })).toThrow(invalid)
  })

  test('say under which names this machine is reached, and where', () => {
    const config = loadConfig({ PAVE_HOST: '0.0.0.0', PAVE_NAMES: 'Pave.Example, 10.0.0.7', PAVE_TLS: 'self-signed' })
    const names = serverNames(config)
    expect(names).toEqual(expect.arrayContaining(['localhost', '127.0.0.1', '::1', 'pave.example', '10.0.0.7']))
    expect(names).not.toContain('0.0.0.0')
    expect(localUrl(config)).toBe('https://127.0.0.1:7400')
    expect(reachableUrl(config)).toBe(`https://${config.machine}:7400`)
    expect(controlPlaneUrl({ ...config, url: 'https://pave.example' })).toBe('https://pave.example')
    expect(localUrl(loadConfig({ PAVE_HOST: '::1' }))).toBe('http://[::1]:7400')
  })
})

describe('programs on this machine', () => {
  test('reach it where it listens if the certificate is for that, else where everybody does', async () => {
    const there = await tlsOf({ PAVE_HOST: '10.0.0.1' })
    expect(urlOnThisMachine(there.config, there.tls)).toBe('https://10.0.0.1:7400')
    const named = await tlsOf({ PAVE_URL: 'https://pave.example' })
    expect(urlOnThisMachine(named.config, named.tls)).toBe('https://pave.example')
    const nowhere = await tlsOf({})
    const refused = expect.objectContaining({ code: 'tls_untrusted', hint: expect.stringContaining('PAVE_URL') })
    expect(() => urlOnThisMachine(nowhere.config, nowhere.tls)).toThrow(refused)
  })

  test('are told before they fail that they would not trust it', async () => {
    const own = await ensureOwnCertificate(join(directory, 'own'), { names: ['127.0.0.1'], now: Date.now() })
    const { tls } = await tlsOf({ PAVE_TLS_CERT: own.cert, PAVE_TLS_KEY: own.key })
    const { server } = createServer(tls, {}, (_, response) => void response.end())
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    await expect(requireTrusted(url)).rejects.toMatchObject({
      code: 'tls_untrusted',
      hint: expect.stringMatching('PAVE_CA'),
    })
    await trustAuthorities(own.ca)
    await expect(requireTrusted(url)).resolves.toBeUndefined()
    server.close()
  })

  test('get one file of authorities when there are two to trust, and none when there are none', async () => {
    const dataDir = join(directory, 'data')
    await ensureOwnCertificate(join(dataDir, 'tls'), { names: ['localhost'], now: Date.now() })
    const config = (environment: Record<string, string>) => ({ ...loadConfig(environment), dataDir })
    expect(localAuthorities(config({}))).toBeUndefined()
    expect(await trustConfigured(config({}))).toBeUndefined()
    expect(localAuthorities(config({ PAVE_TLS: 'self-signed' }))).toBe(join(dataDir, 'tls', 'ca.crt'))
    const both = config({ PAVE_TLS: 'self-signed', PAVE_CA: files.ca })
    await Promise.all([1, 2, 3, 4].map(() => trustConfigured(both)))
    expect(await trustConfigured(both)).toBe(localAuthorities(both))
    await expect(trustAuthorities(files.key)).rejects.toMatchObject({ code: 'tls_authority_invalid' })
  })
})
