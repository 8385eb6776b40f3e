import { spawn } from 'node:child_process'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { z } from 'zod'
import { canonicalJson } from '#platform/canonical-json.ts'
import { digestOf } from '#platform/ids.ts'

export interface Supervised {
  /** SIGTERM, and SIGKILL when it does not end in time. */
  stop(): Promise<void>
  readonly pid: number | undefined
}

export interface SuperviseOptions {
  name: string
  args: readonly string[]
  env: Record<string, string>
  /** Of the program: what another version of it left behind is ended, not adopted. */
  version: string
  /** Remembers the running process, so that the next start finds what a crash left behind. */
  pidFile: string
  /** Where the process itself writes down its pid: for one that was started and not remembered. */
  holderFile: string
  log: Logger
  graceMs: number
  /** Called before the first process is started, unless one was adopted; what it throws keeps everything from starting. */
  beforeStart: () => Promise<void>
}

/** A process that runs or has run, whether this one started it or an earlier one. */
interface Running {
  pid: number | undefined
  /** Resolves to how it ended. */
  ended: Promise<string>
  kill(signal: NodeJS.Signals): void
}

const restartMs = 250
const longestRestMs = 10_000
const pollMs = 100

/**
 * Keeps a program running: starts it again, within a second, whenever it ends by itself. What a crash left running goes on
 * undisturbed when it is what would be started now, else it is ended first.
 */
export async function supervise(options: SuperviseOptions): Promise<Supervised> {
  const { name, pidFile, log, graceMs } = options
  await mkdir(dirname(pidFile), { recursive: true })
  let running = (await adopt(options)) ?? (await startFirst(options))
  const stopping = new AbortController()
  const kept = keepUp()
  return {
    get pid() {
      return running.pid
    },
    async stop() {
      stopping.abort()
      await end(running, graceMs)
      await kept
      await rm(pidFile, { force: true })
    },
  }

  async function keepUp(): Promise<void> {
    for (let failures = 0; ; ) {
      const startedAt = performance.now()
      const how = await running.ended
      if (stopping.signal.aborted) return
      failures = performance.now() - startedAt > 30_000 ? 0 : failures + 1
      log.warn({ name, how, failures }, 'a supervised process ended and is started again')
      const rest = Math.min(longestRestMs, restartMs * 2 ** Math.max(0, failures - 1))
      await sleep(rest, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return
      running = start(options)
    }
  }
}

async function startFirst(options: SuperviseOptions): Promise<Running> {
  await options.beforeStart()
  return start(options)
}

function start(options: SuperviseOptions): Running {
  const child = spawn(process.execPath, options.args, { env: options.env, stdio: ['ignore', 'ignore', 'inherit'] })
  if (child.pid !== undefined) remember(options, child.pid)
  return {
    pid: child.pid,
    ended: new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
      child.once('error', (error) => resolve(error.message))
    }),
    kill: (signal) => void child.kill(signal),
  }
}

async function end(running: Running, graceMs: number): Promise<void> {
  running.kill('SIGTERM')
  const killer = setTimeout(() => running.kill('SIGKILL'), graceMs)
  await running.ended
  clearTimeout(killer)
}

/** Takes over the process of an earlier run if it is what would be started now, and ends it if it is not. */
async function adopt(options: SuperviseOptions): Promise<Running | undefined> {
  const { name, log, graceMs } = options
  const known = await leftBehind(options)
  if (known === undefined) return undefined
  const orphan = orphaned(known.pid, known.startedAt)
  if (known.program === programOf(options)) {
    log.info({ name, pid: known.pid }, 'going on with the process that an earlier run left behind')
    return orphan
  }
  log.info({ name, pid: known.pid }, 'ending what an earlier run left behind')
  await end(orphan, graceMs)
  return undefined
}

async function leftBehind({ pidFile, holderFile, args }: SuperviseOptions): Promise<Remembered | undefined> {
  const known = await readPid(pidFile)
  if (known !== undefined && startTimeOf(known.pid) === known.startedAt) return known
  const holder = await readPid(holderFile)
  if (holder === undefined || commandOf(holder.pid).join(' ') !== args.join(' ')) return undefined
  const startedAt = startTimeOf(holder.pid)
  return startedAt === undefined ? undefined : { pid: holder.pid, startedAt, program: '' }
}

/** Nobody tells the end of a process that is not one's child, so its traces are looked at. */
function orphaned(pid: number, startedAt: string): Running {
  const lives = () => startTimeOf(pid) === startedAt
  return {
    pid,
    ended: new Promise((resolve) => {
      const timer = setInterval(() => {
        if (lives()) return
        clearInterval(timer)
        resolve('not seen')
      }, pollMs)
    }),
    kill(signal) {
      if (lives()) process.kill(pid, signal)
    },
  }
}

const PidFile = z.object({ pid: z.int(), startedAt: z.string().default(''), program: z.string().default('') })
type Remembered = z.infer<typeof PidFile>

/** Everything that decides what is started; a digest, because the environment holds a token. */
function programOf({ version, args, env }: SuperviseOptions): string {
  return digestOf(canonicalJson({ version, node: process.version, args, env }))
}

/**
 * Before anything else can happen, so that a crash right after the start leaves no process that nobody knows of. On a full
 * disk it stays unknown, which matters after a crash alone.
 */
function remember(options: SuperviseOptions, pid: number): void {
  const { name, pidFile, log } = options
  const remembered = { pid, startedAt: startTimeOf(pid), program: programOf(options) }
  try {
    writeFileSync(`${pidFile}.new`, JSON.stringify(remembered))
    renameSync(`${pidFile}.new`, pidFile)
  } catch (error) {
    log.error({ err: error, name, pid }, 'a process could not be written down')
  }
}

/** A file that was cut off names nobody. */
async function readPid(file: string) {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  try {
    return text === undefined ? undefined : PidFile.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** The arguments of a process, without its program; none once it has ended. */
function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(1, -1)
  } catch {
    return []
  }
}

/**
 * Field 22 of /proc/<pid>/stat: with the pid it names one process for as long as the machine is up. Undefined once it has
 * ended, although nobody may have collected it yet.
 */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? undefined : fields[18]
  } catch {
    return undefined
  }
}
