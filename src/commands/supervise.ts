import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from 'pino'

export interface Supervised {
  /** SIGTERM, and SIGKILL when it does not end in time. */
  stop(): Promise<void>
  readonly pid: number | undefined
}

export interface SuperviseOptions {
  name: string
  args: readonly string[]
  env: Record<string, string>
  /** Remembers the running process, so that the next start finds what a crash left behind. */
  pidFile: string
  log: Logger
  graceMs: number
}

const restartMs = 250
const longestRestMs = 10_000

/** Starts a program and starts it again, within a second, whenever it ends by itself. Ends an orphan of an earlier run first. */
export async function supervise(options: SuperviseOptions): Promise<Supervised> {
  await mkdir(dirname(options.pidFile), { recursive: true })
  await endOrphan(options)
  let child: ChildProcess | undefined
  let stopping = false
  let failures = 0
  let restart: NodeJS.Timeout | undefined
  const start = (): void => {
    const startedAt = performance.now()
    const started = spawn(process.execPath, options.args, {
      env: options.env,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    child = started
    if (started.pid !== undefined) void remember(options.pidFile, started.pid)
    started.on('exit', (code, signal) => {
      if (stopping) return
      failures = performance.now() - startedAt > 30_000 ? 0 : failures + 1
      options.log.warn(
        { name: options.name, code, signal, failures },
        'a supervised process ended and is started again',
      )
      restart = setTimeout(start, Math.min(longestRestMs, restartMs * 2 ** Math.max(0, failures - 1)))
    })
    started.on('error', (error) =>
      options.log.error({ err: error, name: options.name }, 'a process could not be started'),
    )
  }
  start()
  return {
    get pid() {
      return child?.pid
    },
    async stop() {
      stopping = true
      clearTimeout(restart)
      const last = child
      if (last !== undefined && last.exitCode === null && last.signalCode === null) {
        const ended = new Promise((resolve) => last.once('exit', resolve))
        last.kill('SIGTERM')
        const killer = setTimeout(() => last.kill('SIGKILL'), options.graceMs)
        await ended
        clearTimeout(killer)
      }
      await rm(options.pidFile, { force: true })
    },
  }
}

async function remember(pidFile: string, pid: number): Promise<void> {
  await writeFile(pidFile, JSON.stringify({ pid, startedAt: startTimeOf(pid) }))
}

async function endOrphan({ pidFile, name, log, graceMs }: SuperviseOptions): Promise<void> {
  const text = await readFile(pidFile, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const { pid, startedAt } = rememberedIn(text)
  const isOurs = () => startedAt !== undefined && startTimeOf(pid) === startedAt
  if (isOurs()) {
    log.info({ name, pid }, 'ending what an earlier run left behind')
    process.kill(pid, 'SIGTERM')
    const until = performance.now() + graceMs
    while (isOurs() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 50))
    if (isOurs()) process.kill(pid, 'SIGKILL')
  }
  await rm(pidFile, { force: true })
}

/** A kill while it was written may have left half of it, which names nobody. */
function rememberedIn(text: string): { pid: number; startedAt: string | undefined } {
  try {
    return JSON.parse(text)
  } catch {
    return { pid: 0, startedAt: undefined }
  }
}

/** Field 22 of /proc/<pid>/stat: with the pid it names one process for as long as the machine is up. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
