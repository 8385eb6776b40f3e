import { PaveError } from '../../errors.ts'
import { retry } from '../retry.ts'
import {
  encodeNamespace,
  type OnlineKey,
  type OnlineStore,
  type OnlineStoreOptions,
  type OnlineValues,
  onlineFailure,
} from './online-store.ts'
import { connectRedis, parseRedisUrl, type RedisArguments } from './redis-connection.ts'
import { checkRedisKeeps } from './redis-durability.ts'
import { batchJournal } from './redis-journal.ts'

/** For one attempt of a writer; a reader's own time is in the URL. */
const writerMs = 5000
/** A restart of Redis passes within this. */
const patience = {
  totalMs: 10_000,
  firstWaitMs: 50,
  passes: (error: unknown) => error instanceof PaveError && error.code === 'online_store_unavailable',
}

/**
 * One hash for each namespace. Its name is a hash tag, so that a namespace is in one slot of a cluster: it is read by
 * one command, written by one transaction, and deleted at once.
 *
 * @throws what only an operator can mend; a Redis that is down now may be up when it is needed
 */
export async function openRedisStore(url: string, { readOnly = false }: OnlineStoreOptions): Promise<OnlineStore> {
  const location = parseRedisUrl(url)
  const redis = await connectRedis(location, { needed: !readOnly })
  const checkServer = (name: string) =>
    redis.checkServer(name, (ask) => checkRedisKeeps(ask, { inMemory: location.inMemory }))
  const transact = async (name: string, commands: readonly RedisArguments[]) => {
    await checkServer(name)
    return redis.transact(name, commands, writerMs)
  }
  const journal = location.cluster && !readOnly ? batchJournal(redis, transact) : undefined
  if (!readOnly) {
    try {
      await checkServer(nameOf('start'))
    } catch (error) {
      if (!patience.passes(error)) {
        redis.close()
        throw error
      }
    }
  }

  const write = async <T>(action: () => Promise<T>): Promise<T> => {
    if (readOnly) throw onlineFailure('online_store_read_only', 'Redis is open for reading')
    return retry(patience, action)
  }

  const read = async (keys: readonly OnlineKey[], withinMs: number): Promise<OnlineValues> => {
    await journal?.settle()
    const values: OnlineValues = new Array(keys.length).fill(undefined)
    const reads = Array.from(groupByName(keys), async ([name, positions]) => {
      const fields = positions.map((position) => bytesOf(keys[position]?.key ?? ''))
      const found = await redis.send(name, ['HMGET', name, ...fields], withinMs)
      if (!Array.isArray(found)) throw new TypeError('Redis answered HMGET with something else than a list')
      positions.forEach((position, index) => {
        const value: unknown = found[index]
        if (value instanceof Uint8Array) values[position] = value
      })
    })
    await Promise.all(reads)
    return values
  }

  return {
    getMany: (keys) => (readOnly ? read(keys, location.readMs) : retry(patience, () => read(keys, writerMs))),

    async writeBatch({ puts = [], deletes = [] }) {
      const groups = new Map<string, RedisArguments[]>()
      const add = (name: string, command: RedisArguments) => groups.set(name, [...(groups.get(name) ?? []), command])
      for (const [name, positions] of groupByName(deletes))
        add(name, ['HDEL', name, ...positions.map((position) => bytesOf(deletes[position]?.key ?? ''))])
      for (const [name, positions] of groupByName(puts.map(({ key }) => key))) {
        const pairs = positions.flatMap((position) => {
          const put = puts[position]
          return put === undefined ? [] : [bytesOf(put.key.key), Buffer.from(put.value)]
        })
        add(name, ['HSET', name, ...pairs])
      }
      await write(async () => {
        const [first] = groups.keys()
        if (first === undefined) return
        if (journal !== undefined) await journal.write(groups)
        else await transact(first, [...groups.values()].flat())
      })
    },

    async deleteNamespace(namespace) {
      const name = nameOf(namespace)
      const [count] = await write(async () => {
        await journal?.settle()
        return transact(name, [
          ['HLEN', name],
          ['UNLINK', name],
        ])
      })
      return Number(count)
    },

    close: async () => redis.close(),
  }
}

/** Positions by the name of the hash. */
function groupByName(keys: readonly OnlineKey[]): Map<string, number[]> {
  const names = new Map<string, string>()
  const groups = new Map<string, number[]>()
  keys.forEach(({ namespace }, position) => {
    let name = names.get(namespace)
    if (name === undefined) {
      name = nameOf(namespace)
      names.set(namespace, name)
    }
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [position])
    else group.push(position)
  })
  return groups
}

/** A brace in the name would end the hash tag. */
function nameOf(namespace: string): string {
  encodeNamespace(namespace)
  return `pave:{${namespace.replaceAll('%', '%25').replaceAll('}', '%7D')}}`
}

function bytesOf(key: string | Uint8Array): Buffer {
  return Buffer.from(key)
}
