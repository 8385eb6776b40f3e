import { setTimeout as pause } from 'node:timers/promises'
import { createClient, createCluster, ErrorReply, RESP_TYPES } from '@redis/client'
import { PaveError } from '../../errors.ts'
import { onlineFailure } from './online-store.ts'

export interface RedisLocation {
  /** More than one are seeds of a cluster. */
  urls: string[]
  cluster: boolean
  /** Writes are acknowledged when they are in the memory of Redis. */
  inMemory: boolean
  /** How long a reader waits for values. */
  readMs: number
}

export type RedisArguments = (string | Buffer)[]

/** A connection that comes back by itself; while there is none, everything fails at once. Nothing takes longer than it may. */
export interface RedisConnection {
  send(key: string, args: RedisArguments, withinMs: number): Promise<unknown>
  /** All commands or none; their keys are in the slot of `key`. */
  transact(key: string, commands: readonly RedisArguments[], withinMs: number): Promise<readonly unknown[]>
  /** Looks at the server that holds the key, once for each time that it was connected to. */
  checkServer(key: string, check: (info: (args: RedisArguments) => Promise<unknown>) => Promise<void>): Promise<void>
  close(): void
}

const parameters = ['cluster', 'nodes', 'durability', 'readTimeoutMs']

/** `redis://user:password@host:6379/0?readTimeoutMs=25`, `rediss://`, and `redis+cluster://host:6379?nodes=host:port,…`. */
export function parseRedisUrl(text: string): RedisLocation {
  const refuse = (why: string) => onlineFailure('online_store_misconfigured', `ONLINE_URL ${why}`)
  const url = URL.parse(text)
  if (url === null || url.hostname === '') throw refuse('is not redis://host:port/database')
  const unknown = [...url.searchParams.keys()].find((name) => !parameters.includes(name))
  if (unknown !== undefined) throw refuse(`has an unknown parameter ${unknown}; it takes ${parameters.join(', ')}`)
  const cluster = url.protocol.endsWith('+cluster:') || url.searchParams.get('cluster') === 'true'
  if (cluster && !/^\/?0?$/.test(url.pathname)) throw refuse('names a database, and a cluster has only one')
  const durability = url.searchParams.get('durability') ?? 'disk'
  if (durability !== 'disk' && durability !== 'memory') throw refuse('has a durability that is neither disk nor memory')
  const readMs = Number(url.searchParams.get('readTimeoutMs') ?? 25)
  if (!(readMs >= 1 && readMs <= 60_000)) throw refuse('has a readTimeoutMs that is not between 1 and 60000')
  const protocol = url.protocol.startsWith('rediss') ? 'rediss:' : 'redis:'
  const user = url.username === '' && url.password === '' ? '' : `${url.username}:${url.password}@`
  const hosts = [url.host, ...(url.searchParams.get('nodes') ?? '').split(',').filter((host) => host !== '')]
  if (hosts.length > 1 && !cluster) throw refuse('has nodes and no cluster=true')
  const urls = hosts.map((host) => `${protocol}//${user}${host}${cluster ? '' : url.pathname}`)
  // Here and not in the client library, whose error would show the password.
  const broken = urls.findIndex((one) => !URL.canParse(one))
  if (broken !== -1) throw refuse(`has a node ${hosts[broken]} that is not host:port`)
  return {
    urls,
    cluster,
    inMemory: durability === 'memory',
    readMs,
  }
}

const longestQueue = 10_000
const options = {
  disableOfflineQueue: true,
  commandsQueueMaxLength: longestQueue,
  // Deadlines are ours: the client's would cost a timer for each command, and end only with what it had not sent.
  commandOptions: { timeout: 0 },
  maintNotifications: 'disabled',
} as const
const reconnecting = { connectTimeout: 5000, reconnectStrategy: (retries: number) => Math.min(20 * 2 ** retries, 1000) }
const seedsAgainMs = 500
const bytes = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }

const openingMs = 5000
/** A server that has not answered for so long is connected to anew: a machine that vanished says no good-bye. */
const stalledMs = 3000

/**
 * Resolves when it is connected, or has failed for the first time and goes on trying.
 *
 * @throws what only an operator can mend, unless the caller can do without Redis
 */
export async function connectRedis(location: RedisLocation, { needed }: { needed: boolean }): Promise<RedisConnection> {
  let link = location.cluster ? openCluster(location) : openSingle(location)
  let closed = false
  const checked = new WeakMap<object, number>()
  const unanswered = new Map<string, number>()

  async function within<T>(key: string, ms: number, work: (link: Link) => Promise<T>): Promise<T> {
    const used = link
    try {
      const answer = await deadline(work(used), ms)
      unanswered.delete(key)
      return answer
    } catch (error) {
      if (!(error instanceof TooLate)) {
        unanswered.delete(key)
        throw explainRedis(error)
      }
      const since = unanswered.get(key) ?? performance.now() - ms
      unanswered.set(key, since)
      if (used === link && !closed && performance.now() - since > stalledMs) {
        unanswered.clear()
        link.close()
        link = location.cluster ? openCluster(location) : openSingle(location)
      }
      throw onlineFailure('online_store_unavailable', `Redis did not answer within ${ms} ms`)
    }
  }

  const connection: RedisConnection = {
    send: (key, args, ms) => within(key, ms, (link) => link.send(key, args)),
    transact: (key, commands, ms) => within(key, ms, (link) => link.transact(key, commands)),
    checkServer: (key, check) =>
      within(key, openingMs, async (link) => {
        const client = await link.clientOf(key)
        const epoch = client.socketEpoch
        if (checked.get(client) === epoch) return
        await check((args) => client.sendCommand(args))
        checked.set(client, epoch)
      }),
    close() {
      closed = true
      link.close()
    },
  }
  try {
    await deadline(link.tried, openingMs)
  } catch (error) {
    const reason = explainRedis(error)
    if (needed && reason instanceof PaveError && reason.code !== 'online_store_unavailable') {
      connection.close()
      throw reason
    }
  }
  return connection
}

/** One way to Redis, which finds back by itself after a connection broke. */
interface Link {
  /** Settled by the first attempt. */
  tried: Promise<unknown>
  send(key: string, args: RedisArguments): Promise<unknown>
  transact(key: string, commands: readonly RedisArguments[]): Promise<readonly unknown[]>
  clientOf(key: string): Promise<Server>
  close(): void
}

interface Server {
  isReady: boolean
  socketEpoch: number
  sendCommand(args: RedisArguments): Promise<unknown>
}

function openSingle({ urls: [url = ''] }: RedisLocation): Link {
  const client = createClient({ url, socket: { ...reconnecting }, ...options })
  const failed = Promise.withResolvers<never>()
  client.on('error', failed.reject)
  const connected = client.connect()
  connected.catch(() => undefined)
  const tried = Promise.race([connected, failed.promise])
  tried.catch(() => undefined)
  return {
    tried,
    send: (_key, args) => client.sendCommand(args, bytes),
    async transact(_key, commands) {
      // Unlike commands, a transaction would wait for a connection.
      if (!client.isReady) throw new Error('there is no connection')
      const multi = client.multi()
      for (const args of commands) multi.sendCommand(args)
      return multi.exec()
    },
    clientOf: async () => client,
    close: () => client.destroy(),
  }
}

function openCluster({ urls }: RedisLocation): Link {
  const [first = ''] = urls
  const { protocol, username, password } = new URL(first)
  const cluster = createCluster({
    rootNodes: urls.map((url) => ({ url, ...options })),
    defaults: {
      ...options,
      socket: protocol === 'rediss:' ? { ...reconnecting, tls: true } : { ...reconnecting },
      ...(username !== '' && { username: decodeURIComponent(username) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
    },
    // One server that is down must not keep the others from being used.
    minimizeConnections: true,
  })
  cluster.on('error', () => undefined)
  let closed = false
  // The first reader of a server must not find that it is only now connected to.
  const tried = cluster
    .connect()
    .then(() => Promise.allSettled(cluster.masters.map((node) => cluster.nodeClient(node))))
  const goOn = async () => {
    while (!closed && !cluster.isReady) {
      await pause(seedsAgainMs)
      await cluster.connect().catch(() => undefined)
    }
  }
  tried.catch(goOn)
  const clientOf = async (key: string) => {
    if (!cluster.isReady) throw new Error('no server of the cluster answers')
    const client = await cluster.getNodeClientForKey(key)
    if (!client.isReady) throw new Error('there is no connection')
    return client
  }
  return {
    tried,
    send: async (key, args) => {
      await clientOf(key)
      return cluster.sendCommand(key, false, args, bytes)
    },
    async transact(key, commands) {
      await clientOf(key)
      const multi = cluster.multi(key)
      for (const args of commands) multi.addCommand(key, false, args)
      return multi.exec()
    },
    clientOf,
    close() {
      closed = true
      cluster.destroy()
    },
  }
}

class TooLate extends Error {}

/** An answer that lies in the socket when time is up, because this process was busy, is still taken. */
function deadline<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => reject(new TooLate())), ms)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** One of our errors for whatever Redis, the network or the client library say. */
function explainRedis(error: unknown): unknown {
  if (error instanceof PaveError || !(error instanceof Error)) return error
  const fail = (code: Parameters<typeof onlineFailure>[0]) =>
    onlineFailure(code, `Redis: ${error.message || error.name}`, { cause: error })
  if (!(error instanceof ErrorReply)) return fail('online_store_unavailable')
  if (/^(OOM|MISCONF)\b/.test(error.message)) return fail('online_store_full')
  if (/^(NOAUTH|WRONGPASS|NOPERM)\b/.test(error.message)) return fail('online_store_denied')
  const passing = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|MOVED|ASK|UNKILLABLE)\b/
  return fail(passing.test(error.message) ? 'online_store_unavailable' : 'online_store_misconfigured')
}
