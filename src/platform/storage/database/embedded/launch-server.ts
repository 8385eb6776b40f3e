import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PaveError, platformFailure } from '../../../errors.ts'
import { startupFailure } from '../../../startup-error.ts'
import type { Account } from './account.ts'
import type { Binaries } from './binaries.ts'
import { escalate } from './end-orphans.ts'

/** One postmaster, from its start to its end. */
export interface Server {
  pid: number
  /** Resolves when it accepts connections, after recovery if it was killed before; rejects when it ends instead. */
  ready: Promise<void>
  /** Resolves when it is gone, with the reason. */
  ended: Promise<PaveError>
  stop(): Promise<void>
}

const quotedLines = 8

/** Starts the postmaster of a cluster that has none. */
export function launchServer(options: {
  binaries: Binaries
  cluster: string
  account: Account | undefined
  settings: Record<string, string>
  logFile: string
}): Server {
  const { cluster, account, logFile } = options
  const pidFile = join(cluster, 'postmaster.pid')
  const stale = readIfThere(pidFile)
  const log = openSync(logFile, 'a')
  const logged = fstatSync(log).size
  const settings = Object.entries(options.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(join(options.binaries.native, 'bin', 'postgres'), ['-D', cluster, ...settings], {
    cwd: '/',
    env: { LC_ALL: 'C' },
    stdio: ['ignore', log, log],
    // Ctrl-C reaches the whole process group of a terminal, and Pave has work to finish before its database stops.
    detached: true,
    ...account,
  })
  closeSync(log)
  const ended = endOf(child, () => readIfThere(logFile, logged))
  stopWithPave(child, account)
  return {
    pid: child.pid ?? 0,
    ready: readiness(child, ended, () => {
      const state = readIfThere(pidFile)
      return state !== stale && state.split('\n')[7]?.trim() === 'ready'
    }),
    ended,
    stop: () => escalate((signal) => child.kill(signal), ended),
  }
}

async function readiness(child: ChildProcess, ended: Promise<PaveError>, isReady: () => boolean): Promise<void> {
  // Recovery takes as long as it takes; only the end of the process is a failure.
  while (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    if (isReady()) return
    await sleep(10)
  }
  throw await ended
}

async function endOf(child: ChildProcess, said: () => string): Promise<PaveError> {
  try {
    const [code, signal] = await once(child, 'exit')
    const lastWords = said().trimEnd().split('\n').slice(-quotedLines).join('\n')
    const message = `PostgreSQL ended with ${signal ?? `exit code ${code}`}:\n${lastWords}`
    const full = signal !== 'SIGKILL' && /No space left on device|Disk quota exceeded/.test(lastWords)
    if (full) return platformFailure('disk_full', message)
    return startupFailure('postgres_start_failed', message)
  } catch (error) {
    return startupFailure('postgres_binaries_missing', `PostgreSQL does not run on this system: ${String(error)}`, {
      cause: error,
    })
  }
}

/**
 * A shell waits for the pipe from Pave to close, which the kernel does when Pave is killed, and stops the server then.
 * Where that shell is missing or killed as well, the next start of Pave ends what is left.
 */
function stopWithPave(server: ChildProcess, account: Account | undefined): void {
  if (server.pid === undefined) return
  const guard = spawn('/bin/sh', ['-c', 'read -r _; kill -INT "$0"', String(server.pid)], {
    cwd: '/',
    env: {},
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    ...account,
  })
  guard.on('error', () => {})
  guard.stdin.on('error', () => {})
  server.once('exit', () => guard.kill('SIGKILL'))
}

function readIfThere(path: string, from = 0): string {
  try {
    return readFileSync(path).subarray(from).toString()
  } catch {
    return ''
  }
}
