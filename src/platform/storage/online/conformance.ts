import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OnlineKey, OnlineStore, OnlineValues } from './online-store.ts'

/** What every adapter promises. `open` returns an empty store. */
export function onlineStoreConformance(open: () => Promise<OnlineStore>): void {
  let store: OnlineStore

  beforeEach(async () => {
    store = await open()
  })

  afterEach(() => store.close())

  const key = (key: OnlineKey['key'], namespace = 'view'): OnlineKey => ({ namespace, key })
  const texts = async (...keys: OnlineKey[]) => asTexts(await store.getMany(keys))

  describe('online store', () => {
    it('answers in the order of the keys, undefined where there is nothing', async () => {
      await store.writeBatch({
        puts: [
          { key: key('a'), value: Buffer.from('1') },
          { key: key('b'), value: Buffer.from('2') },
        ],
      })
      expect(await texts(key('b'), key('none'), key('a'), key('b'))).toEqual(['2', undefined, '1', '2'])
      expect(await texts()).toEqual([])
    })

    it('holds a map from namespace and key to bytes', async () => {
      // Few and awkward keys, so that they collide: prefixes of each other, NULs, longer than an index takes.
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 2 }),
        fc.constantFrom(600, 601).map((length) => new Uint8Array(length).fill(7)),
        fc.constantFrom('', 'a', '=', '#', 'é'),
      )
      const keys = fc.record({ namespace: fc.constantFrom('v', 'v=', 'v1', 'é'.repeat(100)), key: bytes })
      const batches = fc.array(
        fc.record({
          puts: fc.array(fc.record({ key: keys, value: fc.uint8Array({ maxLength: 5000 }) }), { maxLength: 5 }),
          deletes: fc.array(keys, { maxLength: 5 }),
        }),
        { maxLength: 5 },
      )
      const identity = ({ namespace, key }: OnlineKey) => `${namespace}/${Buffer.from(key).toString('hex')}`
      const model = new Map<string, { key: OnlineKey; value: Uint8Array }>()
      await fc.assert(
        fc.asyncProperty(batches, async (batches) => {
          for (const batch of batches) {
            for (const key of batch.deletes) model.delete(identity(key))
            for (const put of batch.puts) model.set(identity(put.key), put)
            await store.writeBatch(batch)
          }
          const asked = batches.flatMap(({ puts, deletes }) => [...puts.map(({ key }) => key), ...deletes])
          const found = await store.getMany(asked)
          const expected = asked.map((key) => model.get(identity(key))?.value)
          expect(found.map(asHex)).toEqual(expected.map(asHex))
        }),
        { numRuns: 25 },
      )
    })

    it('takes a string for its UTF-8 bytes', async () => {
      await store.writeBatch({ puts: [{ key: key('é'), value: Buffer.from('1') }] })
      expect(await texts(key(Buffer.from('é')))).toEqual(['1'])
    })

    it('is not changed by changes to what it was given or gave', async () => {
      const value = Buffer.from('1')
      const written = store.writeBatch({ puts: [{ key: key('a'), value }] })
      value.fill('x')
      await written
      const [given] = await store.getMany([key('a')])
      given?.fill(0)
      expect(await texts(key('a'))).toEqual(['1'])
    })

    it('applies a batch as a whole or not at all', async () => {
      const overlong = 'n'.repeat(201)
      const write = store.writeBatch({
        puts: [
          { key: key('a'), value: Buffer.from('1') },
          { key: key('b', overlong), value: Buffer.from('2') },
        ],
      })
      await expect(write).rejects.toMatchObject({ code: 'online_namespace_invalid' })
      expect(await texts(key('a'))).toEqual([undefined])
    })

    it('refuses names that could reach into another namespace', async () => {
      for (const namespace of ['', 'a\0b', 'é'.repeat(101)])
        await expect(store.writeBatch({ deletes: [key('a', namespace)] })).rejects.toMatchObject({
          code: 'online_namespace_invalid',
        })
    })

    it('deletes one namespace and not its neighbours', async () => {
      const namespaces = ['view', 'view1', 'vie', 'view\u0001']
      const keys = namespaces.flatMap((namespace) => ['a', 'b', 'x'.repeat(1000)].map((text) => key(text, namespace)))
      await store.writeBatch({ puts: keys.map((key) => ({ key, value: Buffer.from(key.namespace) })) })
      expect(await store.deleteNamespace('view')).toBe(3)
      expect(await store.deleteNamespace('view')).toBe(0)
      expect(await texts(...keys)).toEqual(keys.map(({ namespace }) => (namespace === 'view' ? undefined : namespace)))
    })
  })
}

const asHex = (value: Uint8Array | undefined) => value && Buffer.from(value).toString('hex')
const asTexts = (values: OnlineValues) => values.map((value) => value && Buffer.from(value).toString())
