import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { onTestFinished } from 'vitest'

export type OutsideProgram = { path: string } | { missing: string }

/** A program of the machine, on the path or in `folder`. Where it is missing the tests say so; on a build server that is an error. */
export function outsideProgram(name: string, folder = '/usr/local/bin'): OutsideProgram {
  const { error, stdout } = spawnSync('sh', ['-c', `PATH="$PATH:${folder}" command -v ${name}`], { encoding: 'utf8' })
  const path = stdout?.trim() ?? ''
  return required(error === undefined && path !== '' ? { path } : { missing: `${name} is not installed` })
}

/** Says why tests are skipped; with CI=true that is an error. */
export function required(program: OutsideProgram): OutsideProgram {
  if ('missing' in program) {
    if (process.env['CI'] === 'true') throw new Error(program.missing)
    console.log(`skipped: ${program.missing}`)
  }
  return program
}

export interface Running {
  child: ChildProcess
  /** What it said so far, for the message of a test that fails. */
  said(): string
  /** At once, as a crash would; resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>
}

/** Started for one test, and ended with it. */
export function start(
  path: string,
  args: readonly string[],
  env: Record<string, string>,
  cleanUp: (work: () => Promise<void>) => void = onTestFinished,
): Running {
  const child = spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (said += piece))
  const gone = once(child, 'close')
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    child.kill(signal)
    await gone
  }
  cleanUp(() => kill())
  return { child, said: () => said, kill }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new TypeError('The server has no port')
  return address.port
}
