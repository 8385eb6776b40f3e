import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ObjectStore } from './object-store.ts'

/** What every adapter promises. `open` returns an empty store. */
export function objectStoreConformance(open: () => Promise<ObjectStore>): void {
  const sha256 = (bytes: string | Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const absent = sha256('never stored')
  let store: ObjectStore

  beforeEach(async () => {
    store = await open()
  })

  describe('object store', () => {
    it('gives back whatever bytes it was given, in whatever pieces', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 })), async (pieces) => {
          const whole = Buffer.concat(pieces)
          const stored = await store.put(streamOf(pieces))
          expect(stored).toEqual({ digest: sha256(whole), size: whole.length })
          expect(await store.read(stored.digest, { maxBytes: whole.length })).toEqual(whole)
          expect(await buffer(await store.open(stored.digest))).toEqual(whole)
        }),
        { numRuns: 20 },
      )
    })

    it('stores the same content once, also when it is put concurrently', async () => {
      const stored = await Promise.all(Array.from({ length: 8 }, () => store.put('same')))
      expect(new Set(stored.map(({ digest }) => digest))).toEqual(new Set([sha256('same')]))
      expect(await Array.fromAsync(store.list())).toEqual([{ digest: sha256('same'), size: 4 }])
    })

    it('lists, finds and deletes', async () => {
      const a = await store.put('a')
      const b = await store.put(Buffer.from('bb'))
      const byDigest = (x: { digest: string }, y: { digest: string }) => x.digest.localeCompare(y.digest)
      expect((await Array.fromAsync(store.list())).sort(byDigest)).toEqual([a, b].sort(byDigest))
      expect(await store.stat(b.digest)).toEqual(b)
      expect(await store.delete(a.digest)).toBe(true)
      expect(await store.delete(a.digest)).toBe(false)
      expect(await store.has(a.digest)).toBe(false)
      expect(await store.has(b.digest)).toBe(true)
    })

    it('says what is missing', async () => {
      const missing = { code: 'object_not_found', status: 404, message: expect.stringContaining(absent) }
      await expect(store.open(absent)).rejects.toMatchObject(missing)
      await expect(store.read(absent, { maxBytes: 10 })).rejects.toMatchObject(missing)
      await expect(store.localPath(absent)).rejects.toMatchObject(missing)
      expect(await store.stat(absent)).toBeUndefined()
    })

    it('keeps nothing of an upload that differs from its announcement, is too large or breaks off', async () => {
      const breaksOff = async function* () {
        yield Buffer.from('half')
        throw new Error('connection lost')
      }
      await expect(store.put('x', { expectedDigest: absent })).rejects.toMatchObject({ code: 'object_digest_mismatch' })
      await expect(store.put('12345', { maxBytes: 4 })).rejects.toMatchObject({ code: 'object_too_large' })
      await expect(store.put(breaksOff())).rejects.toThrow('connection lost')
      expect(await Array.fromAsync(store.list())).toEqual([])
      expect(await store.sweepTemp(Number.POSITIVE_INFINITY)).toBe(0)
      expect(await store.put('1234', { maxBytes: 4, expectedDigest: sha256('1234') })).toMatchObject({ size: 4 })
    })

    it('reads no more than allowed', async () => {
      const { digest } = await store.put('12345')
      await expect(store.read(digest, { maxBytes: 4 })).rejects.toMatchObject({ code: 'object_too_large' })
    })

    it('refuses digests that could be paths', async () => {
      for (const digest of [
        '',
        'sha256:',
        '../../etc/passwd',
        `sha256:${'A'.repeat(64)}`,
        `sha256:../${'a'.repeat(61)}`,
      ])
        for (const attempt of [store.open(digest), store.stat(digest), store.delete(digest), store.localPath(digest)])
          await expect(attempt).rejects.toMatchObject({ code: 'object_digest_invalid' })
      await expect(store.put('x', { expectedDigest: 'x' })).rejects.toMatchObject({ code: 'object_digest_invalid' })
    })

    it('offers a local file for engines that read files', async () => {
      const { digest } = await store.put('model')
      expect(await readFile(await store.localPath(digest), 'utf8')).toBe('model')
    })
  })
}

async function* streamOf(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}
