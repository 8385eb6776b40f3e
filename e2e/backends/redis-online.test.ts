import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { onlineStoreConformance } from '#platform/storage/online/conformance.ts'
import type { OnlineKey, OnlineStore } from '#platform/storage/online/online-store.ts'
import { openOnlineStore } from '#platform/storage/online/open-online-store.ts'
import { ensureOwnCertificate } from '#platform/tls/own-authority.ts'
import { trustAuthorities } from '#platform/tls/trust.ts'
import { eventually } from '../support/wait.ts'
import { freePort, outsideProgram } from './outside-program.ts'
import { type RedisServer, startRedis, startRedisCluster } from './start-redis.ts'

const program = outsideProgram('redis-server')

const key = (key: string, namespace = 'view'): OnlineKey => ({ namespace, key })
const put = (key: OnlineKey, text: string) => ({ key, value: Buffer.from(text) })
const textsOf = async (store: OnlineStore, ...keys: OnlineKey[]) =>
  (await store.getMany(keys)).map((value) => value && Buffer.from(value).toString())
const unavailable = { code: 'online_store_unavailable', status: 503 }

describe.skipIf('missing' in program)('online features in Redis', () => {
  const path = 'path' in program ? program.path : ''
  const cleanUps: Array<() => Promise<void>> = []
  let server: RedisServer
  let url: string
  const stores: OnlineStore[] = []
  const open = async (at = url, options = {}) => {
    const store = await openOnlineStore(at, options)
    stores.push(store)
    return store
  }

  beforeAll(async () => {
    server = await startRedis(path, { cleanUp: (work) => cleanUps.push(work) })
    url = `redis://127.0.0.1:${server.port}/0`
  })
  beforeEach(() => server.ask('FLUSHALL'))
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close()
  })
  afterAll(async () => {
    for (const work of cleanUps.reverse()) await work()
  })

  onlineStoreConformance(() => openOnlineStore(url))

  it('keeps names with braces apart, and together in their slot', async () => {
    const store = await open()
    const namespaces = ['a', 'a}', '}a', '{a}', 'a%7D', '%', '}']
    await store.writeBatch({ puts: namespaces.map((name) => put(key('k', name), name)) })
    expect(await textsOf(store, ...namespaces.map((name) => key('k', name)))).toEqual(namespaces)
    expect(await store.deleteNamespace('a}')).toBe(1)
    expect(await textsOf(store, key('k', 'a%7D'), key('k', 'a}'))).toEqual(['a%7D', undefined])
  })

  it('shows a reader at once what was written, and takes nothing from it', async () => {
    const writer = await open()
    const reader = await open(url, { readOnly: true })
    await writer.writeBatch({ puts: [put(key('a'), '1')] })
    expect(await textsOf(reader, key('a'))).toEqual(['1'])
    await expect(reader.writeBatch({ deletes: [key('a')] })).rejects.toMatchObject({ code: 'online_store_read_only' })
    await expect(reader.deleteNamespace('view')).rejects.toMatchObject({ code: 'online_store_read_only' })
  })

  it('loses nothing acknowledged when Redis is killed again and again, and needs nobody to try again', async () => {
    const store = await open()
    const reader = await open(url, { readOnly: true })
    let acknowledged = 0
    let stopped = false
    const failures: unknown[] = []
    const writing = (async () => {
      while (!stopped) {
        const text = String(acknowledged + 1)
        await store
          .writeBatch({ puts: [put(key('a', 'one'), text), put(key('b', 'two'), text), put(key(text, 'all'), text)] })
          .then(
            () => acknowledged++,
            (error) => failures.push(error),
          )
      }
    })()
    let late = 0
    const reading = (async () => {
      while (!stopped) {
        const started = performance.now()
        try {
          const [a, b] = await textsOf(reader, key('a', 'one'), key('b', 'two'))
          expect(Number(a ?? 0)).toBeGreaterThanOrEqual(Number(b ?? 0) - 1)
        } catch (error) {
          expect(error).toMatchObject(unavailable)
        }
        if (performance.now() - started > 250) late++
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })()
    for (let round = 0; round < 4; round++) {
      const before = acknowledged
      await eventually(() => acknowledged > before + 20)
      await server.process.kill()
      await server.restart()
    }
    const before = acknowledged
    await eventually(() => acknowledged > before)
    stopped = true
    await Promise.all([writing, reading])
    expect(failures).toEqual([])
    expect(late).toBe(0)
    const all = Array.from({ length: acknowledged }, (_, i) => String(i + 1))
    expect(await textsOf(reader, ...all.map((text) => key(text, 'all')))).toEqual(all)
  })

  it('lets nobody wait for a server that stands still, and connects anew to one that vanished', async () => {
    const store = await open()
    await store.writeBatch({ puts: [put(key('a'), '1')] })
    const reader = await open(`${url}?readTimeoutMs=20`, { readOnly: true })
    expect(await textsOf(reader, key('a'))).toEqual(['1'])
    server.process.child.kill('SIGSTOP')
    try {
      const end = performance.now() + 4000
      while (performance.now() < end) {
        const started = performance.now()
        await expect(textsOf(reader, key('a'))).rejects.toMatchObject(unavailable)
        expect(performance.now() - started).toBeLessThan(250)
      }
    } finally {
      server.process.child.kill('SIGCONT')
    }
    await eventually(() => textsOf(reader, key('a')).catch(() => undefined))
    expect(await textsOf(reader, key('a'))).toEqual(['1'])
  })

  it('connects anew when the machine of Redis vanishes without a good-bye', async () => {
    const line = await startLine(server.port)
    const reader = await open(`redis://127.0.0.1:${line.port}?readTimeoutMs=20`, { readOnly: true })
    expect(await textsOf(reader, key('a'))).toEqual([undefined])
    line.cutSilently()
    await expect(textsOf(reader, key('a'))).rejects.toMatchObject(unavailable)
    await eventually(() => textsOf(reader, key('a')).catch(() => undefined))
    expect(await textsOf(reader, key('a'))).toEqual([undefined])
  })

  it('opens while Redis is down, and works when it is up', async () => {
    await server.process.kill()
    const reader = await open(url, { readOnly: true })
    const writer = await open()
    await expect(textsOf(reader, key('a'))).rejects.toMatchObject(unavailable)
    const writing = writer.writeBatch({ puts: [put(key('a'), '1')] })
    await server.restart()
    await writing
    await eventually(() => textsOf(reader, key('a')).catch(() => undefined))
    expect(await textsOf(reader, key('a'))).toEqual(['1'])
  })

  it('takes a batch whole or not at all when memory is full, and says so', async () => {
    const store = await open()
    await store.writeBatch({ puts: [put(key('a'), '1')] })
    await server.ask('CONFIG', 'SET', 'maxmemory', '1')
    const full = { code: 'online_store_full', status: 507, hint: expect.stringContaining('maxmemory') }
    const batch = { puts: [put(key('a'), '2'), put(key('b'), '2')], deletes: [key('a')] }
    try {
      await expect(store.writeBatch(batch)).rejects.toMatchObject(full)
    } finally {
      await server.ask('CONFIG', 'SET', 'maxmemory', '0')
    }
    expect(await textsOf(store, key('a'), key('b'))).toEqual(['1', undefined])
  })

  it.each([
    [['--appendonly', 'no'], 'appendonly yes'],
    [['--appendfsync', 'everysec'], 'appendfsync always'],
    [['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'], 'noeviction'],
  ])('refuses at the start a Redis with %j, and says what to set', async (settings, words) => {
    const forgetful = await startRedis(path, { settings })
    const at = `redis://127.0.0.1:${forgetful.port}`
    const refusal = { code: 'online_store_misconfigured', hint: expect.stringContaining(words) }
    await expect(openOnlineStore(at)).rejects.toMatchObject(refusal)
    await open(at, { readOnly: true })
    if (words === 'noeviction') return
    const store = await open(`${at}?durability=memory`)
    await store.writeBatch({ puts: [put(key('a'), '1')] })
    expect(await textsOf(store, key('a'))).toEqual(['1'])
  })

  it('notices that Redis came back with another configuration', async () => {
    const changing = await startRedis(path)
    const store = await open(`redis://127.0.0.1:${changing.port}`)
    await store.writeBatch({ puts: [put(key('a'), '1')] })
    await changing.ask('CONFIG', 'SET', 'appendfsync', 'no')
    await changing.ask('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => undefined)
    await expect(store.writeBatch({ puts: [put(key('a'), '2')] })).rejects.toMatchObject({
      code: 'online_store_misconfigured',
    })
  })

  it('uses the password of the URL, and shows it to nobody', async () => {
    const locked = await startRedis(path)
    await locked.ask('CONFIG', 'SET', 'requirepass', 'hunter2')
    const at = (user: string) => `redis://${user}127.0.0.1:${locked.port}`
    const store = await open(at(':hunter2@'))
    await store.writeBatch({ puts: [put(key('a'), '1')] })
    for (const user of ['', ':hunter3@']) {
      const refused = openOnlineStore(at(user))
      await expect(refused).rejects.toMatchObject({ code: 'online_store_denied' })
      await expect(refused).rejects.not.toThrow('hunter')
    }
    await expect(openOnlineStore(`${at(':hunter2@')}?timeout=5`)).rejects.not.toThrow('hunter')
  })

  it('speaks TLS, and to nobody whom it does not trust', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pave-redis-tls-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const files = await ensureOwnCertificate(folder, { names: ['127.0.0.1'], now: Date.now() })
    const port = await freePort()
    const certificate = ['--tls-cert-file', files.cert, '--tls-key-file', files.key, '--tls-ca-cert-file', files.ca]
    await startRedis(path, { settings: ['--tls-port', String(port), '--tls-auth-clients', 'no', ...certificate] })
    const at = `rediss://127.0.0.1:${port}`
    const untrusting = await open(at, { readOnly: true })
    await expect(textsOf(untrusting, key('a'))).rejects.toMatchObject(unavailable)
    await trustAuthorities(files.ca)
    const store = await open(at)
    await store.writeBatch({ puts: [put(key('a'), '1')] })
    expect(await textsOf(store, key('a'))).toEqual(['1'])
  })

  it('refuses URLs that say what it cannot do', async () => {
    const port = await freePort()
    for (const wrong of [
      'redis://',
      `redis://127.0.0.1:${port}?timeout=5`,
      `redis://127.0.0.1:${port}?durability=sometimes`,
      `redis://127.0.0.1:${port}?readTimeoutMs=0`,
      `redis://127.0.0.1:${port}?nodes=127.0.0.1:1`,
      `redis+cluster://127.0.0.1:${port}/3`,
      `redis+cluster://pave:hunter2@127.0.0.1:${port}?nodes=127.0.0.1:99999`,
    ])
      await expect(openOnlineStore(wrong)).rejects.toSatisfy(
        (error) => error.code === 'online_store_misconfigured' && !inspect(error).includes('hunter2'),
      )
  })
})

describe.skipIf('missing' in program)('online features in a Redis cluster', () => {
  const path = 'path' in program ? program.path : ''
  const cleanUps: Array<() => Promise<void>> = []
  let servers: RedisServer[]
  let url: string

  beforeAll(async () => {
    servers = await startRedisCluster(path, (work) => cleanUps.push(work))
    const [first, ...others] = servers.map(({ port }) => `127.0.0.1:${port}`)
    url = `redis+cluster://${first}?nodes=${others.join(',')}`
  })
  beforeEach(async () => {
    for (const server of servers) await server.ask('FLUSHALL')
  })
  afterAll(async () => {
    for (const work of cleanUps.reverse()) await work()
  })

  onlineStoreConformance(() => openOnlineStore(url))

  it('spreads namespaces over the servers', async () => {
    const store = await openOnlineStore(url)
    const keys = Array.from({ length: 30 }, (_, i) => key('k', `view-${i}`))
    await store.writeBatch({ puts: keys.map((one) => put(one, '1')) })
    for (const server of servers) expect(Number(await server.ask('DBSIZE'))).toBeGreaterThan(0)
    await store.close()
  })

  it('lets several processes write over several slots at once', async () => {
    const stores = await Promise.all([0, 1, 2].map(() => openOnlineStore(url)))
    const keysOf = (writer: number) => Array.from({ length: 6 }, (_, i) => key('k', `view-${writer}-${i}`))
    await Promise.all(
      stores.map(async (store, writer) => {
        for (let round = 1; round <= 10; round++)
          await store.writeBatch({ puts: keysOf(writer).map((one) => put(one, String(round))) })
      }),
    )
    for (const [writer, store] of stores.entries())
      expect(new Set(await textsOf(store, ...keysOf(writer)))).toEqual(new Set(['10']))
    for (const server of servers) expect(String(await server.ask('KEYS', '*'))).not.toContain('journal')
    for (const store of stores) await store.close()
  })

  it('finishes a batch that a dead server left half-written, before anything is read or written', async () => {
    const writer = await openOnlineStore(url)
    const reader = await openOnlineStore(url, { readOnly: true })
    const keys = Array.from({ length: 30 }, (_, i) => key('k', `view-${i}`))
    await writer.writeBatch({ puts: keys.map((one) => put(one, 'old')) })
    const noted = await journalServer(servers)
    const [victim] = servers.filter((server) => server !== noted).slice(-1)
    await victim?.process.kill()
    await expect(writer.writeBatch({ puts: keys.map((one) => put(one, 'new')) })).rejects.toMatchObject(unavailable)
    await victim?.restart()
    const torn = await eventually(() => textsOf(reader, ...keys).catch(() => undefined))
    expect(new Set(torn)).toEqual(new Set(['old', 'new']))
    // As if the writer had ended: nobody else knows whether it goes on.
    await writer.close()
    const another = await openOnlineStore(url)
    const texts = await eventually(() => textsOf(another, ...keys).catch(() => undefined))
    expect(new Set(texts)).toEqual(new Set(['new']))
    expect(await eventually(() => textsOf(reader, ...keys).catch(() => undefined))).toEqual(texts)
    for (const store of [reader, another]) await store.close()
  })
})

async function journalServer(servers: readonly RedisServer[]): Promise<RedisServer | undefined> {
  for (const server of servers) {
    const answer = await server.ask('GET', 'pave:{journal}').then(
      () => true,
      () => false,
    )
    if (answer) return server
  }
  return undefined
}

/** A way to the server whose connections can be made to stand still for good; later ones pass. */
async function startLine(target: number) {
  const sockets = new Set<Socket>()
  const line = createServer((socket) => {
    const onward = connect(target, '127.0.0.1')
    for (const one of [socket, onward]) {
      sockets.add(one)
      one.on('error', () => undefined)
    }
    socket.pipe(onward).pipe(socket)
  })
  line.listen(0, '127.0.0.1')
  await once(line, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    line.close()
  })
  const address = line.address()
  if (address === null || typeof address === 'string') throw new TypeError('The line has no port')
  return {
    port: address.port,
    cutSilently() {
      for (const socket of sockets) socket.unpipe().pause()
    },
  }
}
