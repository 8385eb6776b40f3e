import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { inheritedEnvironment } from '#platform/config.ts'
import { type Client, createClient } from '#platform/surfaces/client.ts'
import { processesOf } from './processes.ts'
import { eventually } from './wait.ts'

export interface Place {
  dataDir: string
  url: string
  inferenceUrl: string
  /** What every process of this place is started with. */
  env: Record<string, string>
}

export interface Pave {
  /** Of `pave up` itself. */
  pid: number
  token: string
  admin: Client
  /** Resolves to the exit code, or to the signal that ended it. */
  ended: Promise<number | string>
  stop(signal?: NodeJS.Signals): Promise<number | string>
}

export interface Finished {
  code: number
  stdout: string
  stderr: string
}

export const cli = join(import.meta.dirname, '../../src/cli.ts')

/** A data directory and two ports of its own; whatever runs in it is ended, and the directory removed, with the test. */
export async function createPlace(cleanUp: (work: () => Promise<void>) => void = onTestFinished): Promise<Place> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pave-e2e-'))
  // Reachable for PostgreSQL's account, which is another one when the tests run as root.
  await chmod(dataDir, 0o711)
  const [port, inferencePort] = await freePorts(2)
  cleanUp(async () => {
    for (const { pid } of processesOf(dataDir)) kill(pid, 'SIGKILL')
    await eventually(() => processesOf(dataDir).length === 0)
    await rm(dataDir, { recursive: true, force: true })
  })
  return {
    dataDir,
    url: `http://127.0.0.1:${port}`,
    inferenceUrl: `http://127.0.0.1:${inferencePort}`,
    env: {
      ...inheritedEnvironment(),
      PAVE_DATA_DIR: dataDir,
      PAVE_PORT: String(port),
      PAVE_INFERENCE_PORT: String(inferencePort),
    },
  }
}

/** `pave up`, ready to be used. What it says goes to `up.log` in the data directory. */
export async function startPave(place: Place, args: readonly string[] = []): Promise<Pave> {
  const logFile = join(place.dataDir, 'up.log')
  const log = await open(logFile, 'w')
  const child = spawn(process.execPath, [cli, 'up', ...args], { env: place.env, stdio: ['ignore', log.fd, log.fd] })
  await log.close()
  const ended = once(child, 'exit').then(([code, signal]): number | string => code ?? signal)
  let over = false
  void ended.then(() => {
    over = true
  })
  await eventually(async () => {
    const said = await readFile(logFile, 'utf8')
    if (over) throw new Error(`pave up ended: ${said}`)
    return said.includes('Sign in once')
  })
  const { token } = JSON.parse(await readFile(join(place.dataDir, 'client.json'), 'utf8'))
  if (child.pid === undefined) throw new Error('pave up has no process')
  return {
    pid: child.pid,
    token,
    admin: createClient({ url: place.url, token }),
    ended,
    stop(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
}

/** Runs one command of `pave` to its end, as somebody would in a shell of this place. */
export function pave(place: Place, args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const options = { env: { ...place.env, ...env }, timeout: 60_000, killSignal: 'SIGKILL' } as const
    const child = execFile(process.execPath, [cli, ...args], options, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr })
    })
  })
}

/** Ends a process at once, as a crash or the kernel would; one that has ended already is left alone. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  return servers.map((server) => {
    const address = server.address()
    server.close()
    if (address === null || typeof address === 'string') throw new TypeError('The server has no port')
    return address.port
  })
}
