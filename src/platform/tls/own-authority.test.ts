import { execFile } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { type AddressInfo, isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ensureOwnCertificate } from './own-authority.ts'
import { serverNames } from './server-names.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pave-tls-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const dayMs = 86_400_000
const now = Date.now()
const names = ['127.0.0.1', '::1', 'localhost', 'node-7.example']

async function made(options: { names?: string[]; now?: number } = {}) {
  const files = await ensureOwnCertificate(directory, { names, now, ...options })
  const [ca, cert, key] = await Promise.all([files.ca, files.cert, files.key].map((file) => readFile(file, 'utf8')))
  if (ca === undefined || cert === undefined || key === undefined) throw new Error('a file is missing')
  return { files, ca, cert, key, leaf: new X509Certificate(cert) }
}

test('a client that trusts the authority accepts the server under each of its names, and under no other', async () => {
  const { ca, cert, key } = await made()
  const server = createServer({ cert, key }, (_, response) => void response.end())
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const reach = (name: string, trusted: string[] = [ca]) =>
    new Promise<string>((resolve) => {
      const socket = connect({
        host: '127.0.0.1',
        port,
        ca: trusted,
        ...(isIP(name) === 0 ? { servername: name } : {}),
      })
      // The address is the one connected to; a name is what the certificate is checked for.
      socket.once('secureConnect', () => resolve(socket.getProtocol() ?? ''))
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
      socket.once('close', () => resolve('closed'))
      socket.once('secureConnect', () => socket.destroy())
    })
  for (const name of ['127.0.0.1', 'localhost', 'node-7.example']) expect(await reach(name)).toBe('TLSv1.3')
  expect(await reach('evil.example')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  expect(await reach('localhost', [])).toMatch(/SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO/)
  server.close()
})

test('keys are for their owner alone', async () => {
  const { files } = await made()
  for (const file of [files.key, join(directory, 'ca.key')]) expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await stat(files.ca)).mode & 0o777).toBe(0o644)
})

test('it stays as it is while it is good, and is made anew when it grows old or the names change', async () => {
  const first = await made()
  expect((await made({ now: now + 50 * dayMs })).cert).toBe(first.cert)
  const renewed = await made({ now: now + 61 * dayMs })
  expect(renewed.cert).not.toBe(first.cert)
  expect(renewed.ca).toBe(first.ca)
  expect(renewed.leaf.validToDate.getTime()).toBeGreaterThan(now + 150 * dayMs)
  const named = await made({ names: [...names, 'more.example'] })
  expect(named.leaf.checkHost('more.example')).toBe('more.example')
  expect((await made({ names: [...names, 'more.example'] })).cert).toBe(named.cert)
})

test.each([
  ['fd00:0:0::7', 'fd00::7'],
  ['::FFFF:10.0.0.1', '::ffff:a00:1'],
  ['fe80::1%eth0', 'fe80::1'],
])('the address %s is in it, however it is written', async (written, address) => {
  const config = { host: '127.0.0.1', url: undefined, names: [written], machine: 'box' }
  expect(serverNames(config)).toContain(address)
  const { leaf, cert } = await made({ names: serverNames(config) })
  expect(leaf.checkIP(address)).toBe(address)
  expect((await made({ names: serverNames(config) })).cert).toBe(cert)
})

test('an old authority is made anew with the key that others may have pinned', async () => {
  const first = await made()
  const later = await made({ now: now + 3000 * dayMs })
  const [before, after] = [new X509Certificate(first.ca), new X509Certificate(later.ca)]
  expect(after.validToDate.getTime()).toBeGreaterThan(before.validToDate.getTime())
  expect(after.publicKey.equals(before.publicKey)).toBe(true)
  expect(later.leaf.verify(after.publicKey)).toBe(true)
})

test.each(['server.key', 'server.crt', 'ca.crt', 'ca.key'])('a %s that was cut off is made anew', async (file) => {
  await made()
  await writeFile(join(directory, file), '-----BEGIN')
  const { leaf, ca, key } = await made()
  expect(leaf.verify(new X509Certificate(ca).publicKey)).toBe(true)
  expect(key).toContain('PRIVATE KEY')
})

test('many that start at once end with one authority and a pair that fits', async () => {
  const script = `
    import { ensureOwnCertificate } from ${JSON.stringify(join(import.meta.dirname, 'own-authority.ts'))}
    await ensureOwnCertificate(${JSON.stringify(directory)}, { names: ['localhost'], now: ${now} })
  `
  const start = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  await Promise.all([start(), start(), start()])
  const [authority, leaf] = [await read('ca.crt'), await read('server.crt')]
  expect(leaf.verify(authority.publicKey)).toBe(true)
  expect(leaf.checkPrivateKey(createPrivateKey(await readFile(join(directory, 'server.key'))))).toBe(true)
  expect((await readdir(directory)).sort()).toEqual(['ca.crt', 'ca.key', 'server.crt', 'server.key'])
})

const read = async (file: string) => new X509Certificate(await readFile(join(directory, file)))
