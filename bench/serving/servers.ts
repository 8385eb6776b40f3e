import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'undici'
import { freePorts } from '../../e2e/support/start-pave.ts'

export interface Server {
  name: string
  port: number
  /** User and system time so far, in milliseconds. */
  cpuMs(): number
  stop(): Promise<void>
}

export interface Program {
  name: string
  command: readonly string[]
  env: Record<string, string>
}

/** Pinning needs two cores and `taskset`; without them server and generator share what there is. */
export const pinned = works('taskset', ['-c', '1', 'true'])

/** Runs a command on one core: servers on the first, the generator and Redis on the second. */
export function onCore(core: 0 | 1, command: readonly string[]): string[] {
  return pinned ? ['taskset', '-c', String(core), ...command] : [...command]
}

/** A server on a port of its own, on the first core; answers when it takes connections. */
export async function startServer({ name, command, env }: Program, ready: string): Promise<Server> {
  const [port = 0] = await freePorts(1)
  const child = start(onCore(0, command), { ...env, PORT: String(port) })
  await untilAnswers(child, name, port, ready)
  return { name, port, cpuMs: () => cpuOf(child.pid ?? 0), stop: () => stop(child) }
}

/** A Redis of the benchmark's own, without persistence; undefined where it is not installed. */
export async function startRedis(): Promise<{ url: string; port: number; stop(): Promise<void> } | undefined> {
  if (!works('redis-server', ['--version'])) return undefined
  const [port = 0] = await freePorts(1)
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = start(onCore(1, ['redis-server', ...options]), {})
  return { url: `redis://127.0.0.1:${port}`, port, stop: () => stop(child) }
}

function start([program = '', ...args]: readonly string[], env: Record<string, string>): ChildProcess {
  // A process group of its own, so that Ctrl-C ends it through us, in order.
  return spawn(program, args, {
    env: { PATH: pathOf(), ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  })
}

function pathOf(): string {
  return process.env['PATH'] ?? '/usr/bin:/bin'
}

async function untilAnswers(child: ChildProcess, name: string, port: number, path: string): Promise<void> {
  const client = new Client(`http://127.0.0.1:${port}`)
  try {
    for (const until = performance.now() + 60_000; performance.now() < until; await pause(50)) {
      if (child.exitCode !== null) throw new Error(`${name} ended with exit code ${child.exitCode}`)
      const answer = await client.request({ method: 'GET', path }).catch(() => undefined)
      await answer?.body.dump()
      if (answer !== undefined && answer.statusCode !== 503) return
    }
    throw new Error(`${name} does not answer`)
  } finally {
    await client.close()
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await Promise.race([ended, pause(5000).then(() => child.kill('SIGKILL'))])
}

/** Fields 14 and 15 of proc_pid_stat(5), in hundredths of a second: all threads of the process. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return (user + system) * 10
}

function works(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

export const program = (file: string) => join(import.meta.dirname, file)
