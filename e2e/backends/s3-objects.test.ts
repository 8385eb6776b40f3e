import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { CreateMultipartUploadCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { objectStoreConformance } from '#platform/storage/objects/conformance.ts'
import type { ObjectStore } from '#platform/storage/objects/object-store.ts'
import { openS3ObjectStore } from '#platform/storage/objects/s3.ts'
import { usualTimeouts } from '#platform/storage/objects/s3-connection.ts'
import { partBytes } from '#platform/storage/objects/s3-upload.ts'
import { startFaultyProxy } from './faulty-proxy.ts'
import { credentials, type S3Server, startVersitygw, versitygw } from './start-versitygw.ts'

const program = versitygw()

describe.skipIf('missing' in program)('objects in S3, by versitygw', () => {
  let server: S3Server
  let root: string
  let stores = 0
  const cleanUps: Array<() => Promise<void>> = []

  beforeAll(async () => {
    if ('path' in program) server = await startVersitygw(program.path, (work) => cleanUps.push(work))
  })
  afterAll(async () => {
    for (const work of cleanUps.reverse()) await work()
  })
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'pave-s3-'))
    for (const [name, value] of Object.entries(credentials)) vi.stubEnv(name, value)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(root, { recursive: true })
  })

  const timeouts = { requestMs: 2000, stallMs: 150, patienceMs: 1500 }
  /** An empty place in the bucket, or the same one through another directory of copies. */
  const place = () => `place-${process.pid}-${stores++}`
  const open = (at = place(), { endpoint = server.endpoint, limits = timeouts } = {}) =>
    openS3ObjectStore(`s3://objects/${at}?endpoint=${endpoint}&pathStyle=true`, {
      cacheDirectory: join(root, `copies-${stores++}`),
      timeouts: limits,
    })
  const sha256 = (bytes: string | Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const fileOf = (at: string, digest: string) =>
    join(server.directory, 'objects', at, 'sha256', digest.slice(7, 9), digest.slice(7))
  const everyWayOut = (store: ObjectStore, digest: string) => [
    () => store.open(digest).then(buffer),
    () => store.read(digest, { maxBytes: 10 ** 9 }),
    () => store.localPath(digest),
  ]

  objectStoreConformance(() => open())

  it('stores many parts, in any order of arrival, and gives them back', async () => {
    const at = place()
    const big = randomBytes(3 * partBytes + 12_345)
    const writer = await open(at)
    async function* pieces() {
      for (let start = 0; start < big.length; start += 1_000_000) yield big.subarray(start, start + 1_000_000)
    }
    const stored = await writer.put(pieces())
    expect(stored).toEqual({ digest: sha256(big), size: big.length })
    const reader = await open(at)
    expect(await reader.stat(stored.digest)).toEqual(stored)
    expect((await buffer(await reader.open(stored.digest))).equals(big)).toBe(true)
    expect((await readFile(await reader.localPath(stored.digest))).equals(big)).toBe(true)
    // Once more: the condition fails when all parts are there, and nothing of them is left.
    expect(await (await open(at)).put(big)).toEqual(stored)
    expect(await writer.sweepTemp(Number.POSITIVE_INFINITY)).toBe(0)
  })

  it('lists more than a page', async () => {
    const at = place()
    const store = await open(at)
    const { digest } = await store.put('real')
    const names = Array.from({ length: 1100 }, (_, i) => sha256(String(i)))
    await Promise.all(names.map((name) => writeObject(fileOf(at, name), 'x')))
    const listed = await Array.fromAsync(store.list())
    expect(listed.map((one) => one.digest).sort()).toEqual([digest, ...names].sort())
  })

  it('calls damage by its name, whichever way the bytes leave, and mends it when they are put again', async () => {
    const at = place()
    const { digest } = await (await open(at)).put('weights')
    for (const damage of ['weightz', 'weigh', '']) {
      await writeFile(fileOf(at, digest), damage)
      for (const way of everyWayOut(await open(at), digest))
        await expect(way()).rejects.toMatchObject({ code: 'object_corrupt', message: expect.stringContaining(digest) })
    }
    const store = await open(at)
    await store.put('weights')
    expect(String(await (await open(at)).read(digest, { maxBytes: 100 }))).toBe('weights')
  })

  it('takes no local copy on trust', async () => {
    const store = await open()
    const { digest } = await store.put('weights')
    const path = await store.localPath(digest)
    await chmod(path, 0o644)
    await writeFile(path, 'weightz')
    expect(String(await store.read(digest, { maxBytes: 100 }))).toBe('weights')
    expect(await readFile(await store.localPath(digest), 'utf8')).toBe('weights')
  })

  it('fetches a local copy once, for everybody who asks at the same time', async () => {
    const at = place()
    const { digest } = await (await open(at)).put('weights')
    const proxy = await startFaultyProxy(() => server.endpoint)
    const store = await open(at, { endpoint: proxy.url })
    const paths = await Promise.all(Array.from({ length: 5 }, () => store.localPath(digest)))
    expect(new Set(paths).size).toBe(1)
    expect(proxy.seen.filter((line) => line.startsWith('GET') && line.includes(digest.slice(7)))).toHaveLength(1)
  })

  it('survives lost answers, broken connections and damage on the way', async () => {
    const at = place()
    const proxy = await startFaultyProxy(() => server.endpoint)
    const store = await open(at, { endpoint: proxy.url })
    const big = randomBytes(2 * partBytes)
    let requests = 0
    // Each request fails once, in turn in another way.
    const failed = new Set<string>()
    proxy.fault = ({ method, url }) => {
      const name = `${method} ${url}`
      if (failed.has(name)) return undefined
      failed.add(name)
      const ways = [{ loseAnswer: true }, { answer: { status: 503, body: '' } }, { damageRequest: method === 'PUT' }]
      return ways[requests++ % ways.length]
    }
    const stored = await store.put(big)
    expect(stored).toEqual({ digest: sha256(big), size: big.length })
    expect(failed.size).toBe(5)
    proxy.fault = () => undefined
    const reader = await open(at, { endpoint: proxy.url })
    let reads = 0
    proxy.fault = () => [{ breakAfter: 1_000_000 }, { stallAfter: 2_000_000 }][reads++]
    expect((await buffer(await reader.open(stored.digest))).equals(big)).toBe(true)
    expect(reads).toBe(3)
  })

  it('notices a store that lies', async () => {
    const at = place()
    const { digest } = await (await open(at)).put('weights')
    const proxy = await startFaultyProxy(() => server.endpoint)
    for (const fault of [{ damageAnswer: true }, { truncateTo: 3 }]) {
      const store = await open(at, { endpoint: proxy.url })
      proxy.fault = ({ url }) => (url?.includes(digest.slice(7)) ? fault : undefined)
      for (const way of everyWayOut(store, digest))
        await expect(way()).rejects.toMatchObject({ code: 'object_corrupt' })
      proxy.fault = () => undefined
      expect(await readFile(await store.localPath(digest), 'utf8')).toBe('weights')
    }
  })

  it('says that the store is full, slow, or gone, and shows nothing half-written', async () => {
    const at = place()
    const proxy = await startFaultyProxy(() => server.endpoint)
    const store = await open(at, { endpoint: proxy.url })
    const big = randomBytes(partBytes + 1)
    const error = (status: number, code: string) => ({
      answer: { status, body: `<Error><Code>${code}</Code><Message>no</Message></Error>` },
    })
    const refusals = [
      [error(507, 'InsufficientStorage'), 'object_store_full', 507],
      [error(403, 'QuotaExceeded'), 'object_store_full', 507],
      [error(403, 'AccessDenied'), 'object_store_denied', 502],
      [error(503, 'SlowDown'), 'object_store_unavailable', 503],
      [{ loseAnswer: true }, 'object_store_unavailable', 503],
      [{ hang: true }, 'object_store_unavailable', 503],
    ] as const
    for (const [fault, code, status] of refusals) {
      // The last request of an upload, so that all the rest succeeded.
      proxy.fault = ({ method, url }) => (method === 'PUT' || url?.includes('uploadId=') ? fault : undefined)
      const started = performance.now()
      await expect(store.put(big)).rejects.toMatchObject({ code, status, hint: expect.stringMatching(/\S/) })
      expect(performance.now() - started).toBeLessThan(8000)
      proxy.fault = () => undefined
      expect(await store.has(sha256(big))).toBe(false)
      expect(await Array.fromAsync(store.list())).toEqual([])
    }
    expect(await store.put(big)).toMatchObject({ size: big.length })
  })

  it('loses nothing acknowledged and shows nothing half-written when the server is killed again and again', async () => {
    const at = place()
    const store = await open(at)
    const acknowledged: string[] = []
    const tried: string[] = []
    let stopped = false
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let i = 0; !stopped; i++) {
        const bytes = writer === 0 ? randomBytes(partBytes + 1000) : randomBytes(1000 * (i + 1))
        tried.push(sha256(bytes))
        try {
          acknowledged.push((await store.put(bytes)).digest)
        } catch (error) {
          expect(error).toMatchObject({ code: 'object_store_unavailable' })
        }
      }
    })
    for (let round = 0; round < 4; round++) {
      const before = acknowledged.length
      await vi.waitUntil(() => acknowledged.length > before + 10, { timeout: 20_000 })
      await server.process.kill()
      await server.restart()
    }
    stopped = true
    await Promise.all(writers)
    const reader = await open(at)
    const listed = await Array.fromAsync(reader.list())
    expect(listed.map(({ digest }) => digest)).toEqual(expect.arrayContaining(acknowledged))
    expect(tried).toEqual(expect.arrayContaining(listed.map(({ digest }) => digest)))
    for (const { digest, size } of listed) expect(await reader.read(digest, { maxBytes: size })).toHaveLength(size)
  })

  it('sweeps uploads that nobody goes on with, and not what is being written', async () => {
    const at = place()
    const store = await open(at)
    const client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true })
    const upload = { Bucket: 'objects', Key: `${at}/sha256/00/${'0'.repeat(64)}` }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(upload))
    const began = Date.now()
    await client.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: Buffer.from('part') }))
    expect(await store.sweepTemp(began - 60_000)).toBe(0)
    expect(await store.sweepTemp(began + 60_000)).toBe(1)
    expect(await store.sweepTemp(Number.POSITIVE_INFINITY)).toBe(0)
  })

  it('says at the start what only an operator can mend', async () => {
    const at = (url: string) => openS3ObjectStore(url, { cacheDirectory: join(root, 'none'), timeouts })
    const parameters = `endpoint=${server.endpoint}&pathStyle=true`
    const misconfigured = (words: RegExp) => ({
      code: 'object_store_misconfigured',
      hint: expect.stringMatching(words),
    })
    await expect(at(`s3://no-such-bucket/x?${parameters}`)).rejects.toMatchObject(misconfigured(/Create the bucket/))
    await expect(at(`s3://objects?${parameters}&region=eu-west-9`)).rejects.toMatchObject(misconfigured(/region/))
    for (const wrong of [
      's3:///x',
      's3://objects?endpoit=x',
      's3://objects?endpoint=ftp://x',
      's3://objects?pathStyle=1',
    ])
      await expect(at(wrong)).rejects.toMatchObject({ code: 'object_store_misconfigured' })
    const secret = at(`s3://key:hunter2@objects?${parameters}`)
    await expect(secret).rejects.toMatchObject(misconfigured(/AWS_ACCESS_KEY_ID/))
    await expect(secret).rejects.not.toThrow('hunter2')
    const inEndpoint = at('s3://objects?endpoint=http://key:hunter2@127.0.0.1:1')
    await expect(inEndpoint).rejects.toMatchObject(misconfigured(/AWS_ACCESS_KEY_ID/))
    await expect(inEndpoint).rejects.not.toThrow('hunter2')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong')
    await expect(at(`s3://objects?${parameters}`)).rejects.toMatchObject({ code: 'object_store_denied' })
  })

  it('opens while the store is down, and works when it is up', async () => {
    const proxy = await startFaultyProxy(() => server.endpoint)
    proxy.fault = () => ({ loseAnswer: true })
    const store = await open(place(), { endpoint: proxy.url })
    await expect(store.stat(sha256('x'))).rejects.toMatchObject({ code: 'object_store_unavailable' })
    proxy.fault = () => undefined
    expect(await store.put('x')).toEqual({ digest: sha256('x'), size: 1 })
  })

  it('puts and reads in constant memory', async () => {
    const at = place()
    const limits = usualTimeouts
    const store = await open(at, { limits })
    const piece = randomBytes(2 ** 20)
    async function* much() {
      for (let i = 0; i < 200; i++) yield piece
    }
    const before = process.memoryUsage().rss
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss)
    }, 20)
    const { digest } = await store.put(much())
    const reader = await open(at, { limits })
    await reader.localPath(digest)
    clearInterval(watch)
    expect(most - before).toBeLessThan(150 * 2 ** 20)
  })
})

async function writeObject(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}
