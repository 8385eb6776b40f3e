import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inheritedEnvironment } from '#platform/config.ts'
import { processesOf } from '../support/processes.ts'
import { cli, kill } from '../support/start-pave.ts'
import { eventually } from '../support/wait.ts'
import { freePort, type Running, start } from './outside-program.ts'

type CleanUp = (work: () => Promise<void>) => void

export interface Started {
  /** Where it answers: the API of a server, the health of a worker. */
  url: string
  process: Running
}

/** What processes on one database and one data directory have in common. */
export interface Shared {
  dataDir: string
  env: Record<string, string>
  cleanUp: CleanUp
}

export function shareDatabase(
  databaseUrl: string,
  dataDir: string,
  cleanUp: CleanUp,
  more: Record<string, string> = {},
): Shared {
  cleanUp(async () => {
    for (const { pid } of processesOf(dataDir)) kill(pid, 'SIGKILL')
    await eventually(() => processesOf(dataDir).length === 0)
  })
  const env = { ...inheritedEnvironment(), DATABASE_URL: databaseUrl, PAVE_DATA_DIR: dataDir, ...more }
  return { dataDir, env, cleanUp }
}

export async function startServer({ env, cleanUp }: Shared, port?: number): Promise<Started> {
  port ??= await freePort()
  const running = startPaveProcess(['server'], { ...env, PAVE_PORT: String(port) }, cleanUp)
  await says(running, 'Sign in once')
  return { url: `http://127.0.0.1:${port}`, process: running }
}

export async function startWorker({ env, cleanUp }: Shared, controlPlane: string): Promise<Started> {
  const port = await freePort()
  const more = { PAVE_URL: controlPlane, PAVE_WORKER_PORT: String(port) }
  const running = startPaveProcess(['worker'], { ...env, ...more }, cleanUp)
  await says(running, 'The worker is up')
  return { url: `http://127.0.0.1:${port}`, process: running }
}

export function startPaveProcess(args: readonly string[], env: Record<string, string>, cleanUp: CleanUp): Running {
  return start(process.execPath, [cli, ...args], env, cleanUp)
}

export async function says(running: Running, text: string): Promise<void> {
  await eventually(() => {
    if (running.child.exitCode !== null) throw new Error(`it ended: ${running.said()}`)
    return running.said().includes(text)
  })
}

export async function tokenOf(dataDir: string): Promise<string> {
  return JSON.parse(await readFile(join(dataDir, 'client.json'), 'utf8')).token
}
