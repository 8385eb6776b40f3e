import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { onTestFinished } from 'vitest'
import { inheritedEnvironment } from '#platform/config.ts'
import { eventually } from '../support/wait.ts'
import { freePort, type Running, start } from './outside-program.ts'

export interface RedisServer {
  port: number
  process: Running
  /** The same server again, after it was killed; resolves when it answers. */
  restart(): Promise<void>
  /** Commands past the store: what an operator would do. */
  ask(...args: string[]): Promise<unknown>
}

type CleanUp = (work: () => Promise<void>) => void

/** Acknowledges what is on disk, unless told otherwise. */
export async function startRedis(
  path: string,
  { cleanUp = onTestFinished, settings = [] }: { cleanUp?: CleanUp; settings?: readonly string[] } = {},
): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'pave-redis-'))
  cleanUp(() => rm(directory, { recursive: true, force: true }))
  const port = await freePort()
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, ...durable, ...settings]
  const ask = async (...command: string[]): Promise<unknown> => {
    const client = createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: false } })
    client.on('error', () => undefined)
    await client.connect()
    return client.sendCommand(command).finally(() => client.destroy())
  }
  const run = async () => {
    const running = start(path, args, inheritedEnvironment(), cleanUp)
    await eventually(async () => {
      if (running.child.exitCode !== null) throw new Error(`redis-server ended: ${running.said()}`)
      return ask('PING').catch(() => undefined)
    })
    return running
  }
  const server = {
    port,
    ask,
    process: await run(),
    async restart() {
      server.process = await run()
    },
  }
  return server
}

/** Three servers that share the slots. */
export async function startRedisCluster(path: string, cleanUp: CleanUp = onTestFinished): Promise<RedisServer[]> {
  const settings = ['--cluster-enabled', 'yes', '--cluster-require-full-coverage', 'no']
  const servers = await Promise.all([0, 1, 2].map(() => startRedis(path, { cleanUp, settings })))
  const [first] = servers
  const third = Math.ceil(16_384 / servers.length)
  for (const [index, server] of servers.entries()) {
    const range = [index * third, Math.min((index + 1) * third, 16_384) - 1].map(String)
    await server.ask('CLUSTER', 'ADDSLOTSRANGE', ...range)
    await server.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
    await server.ask('CLUSTER', 'MEET', '127.0.0.1', String(first?.port))
  }
  for (const server of servers) {
    await eventually(async () => {
      const info = String(await server.ask('CLUSTER', 'INFO'))
      return /cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info) && /cluster_slots_ok:16384/.test(info)
    })
  }
  return servers
}
