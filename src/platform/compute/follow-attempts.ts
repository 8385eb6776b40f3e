import { chmod, rename, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import type { AttemptPaths } from './attempt-directory.ts'
import { type Attempt, computeFailure, type StepResult } from './compute.ts'
import { type AttemptRecord, judgeAttempt, timedOut } from './judge-attempt.ts'
import { type Breach, checkDisk, checkProcesses } from './limits.ts'
import {
  commandOf,
  descendantsOf,
  type ProcessTable,
  processesMarked,
  readProcessTable,
  signalAll,
} from './processes.ts'
import { attemptVariable, isSupervisor } from './supervisor.ts'

/** An attempt whose end is not settled yet. */
interface Followed {
  attemptId: string
  at: AttemptPaths
  /** undefined when preparing it was cut short. */
  record: AttemptRecord | undefined
  /** Of the supervisor; 0 when there is none. */
  pid: number
  startedMs: number
  maxRssMb: number
  checkingDisk: boolean
  ending: Promise<void> | undefined
  settling: Promise<void> | undefined
  settled: PromiseWithResolvers<StepResult>
}

type Beginning = Pick<Followed, 'attemptId' | 'at' | 'record' | 'pid' | 'startedMs'>

export interface Follower {
  follow(beginning: Beginning): Attempt
  /** An attempt that is being followed. */
  find(attemptId: string): Attempt | undefined
  /** To be called when the supervisor is known to be gone; otherwise the next look finds it out. */
  ended(attemptId: string): void
  /** Ends it for this reason, politely first; answers when its end is settled. The first reason given is the one kept. */
  end(attemptId: string, reason: Breach): Promise<void>
  close(): void
}

export interface FollowerOptions {
  clock: Clock
  log: Logger | undefined
  /** Whether the end of the first process of a step is the end of all. */
  ownProcesses: boolean
  graceMs: number
  maxLogBytes: number
  lookEveryMs: number
}

/** Watches running attempts against their limits, and settles those that ended. */
export function createFollower(options: FollowerOptions): Follower {
  const { clock, log, ownProcesses, graceMs, maxLogBytes, lookEveryMs } = options
  const followed = new Map<string, Followed>()
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    try {
      const table = readProcessTable()
      for (const one of followed.values()) {
        if (!isSupervisor(one.pid, one.at)) void settle(one)
        else if (one.ending === undefined && one.record !== undefined) watch(one, one.record, table)
      }
    } catch (error) {
      log?.warn({ err: error }, 'could not look at the running steps; trying again')
    }
  }

  function watch(one: Followed, record: AttemptRecord, table: ProcessTable): void {
    const { residentMb, breach } = checkProcesses(stepProcesses(one, table), record.resources)
    one.maxRssMb = Math.max(one.maxRssMb, residentMb)
    if (breach !== undefined) void end(one, breach, 0)
    else if (clock.now() - one.startedMs > record.timeoutMs) void end(one, timedOut(record.timeoutMs), graceMs)
    else if (!one.checkingDisk) void watchDisk(one, record)
  }

  async function watchDisk(one: Followed, record: AttemptRecord): Promise<void> {
    one.checkingDisk = true
    await capLog(one.at)
    const breach = await checkDisk(one.at.work, record.resources)
    if (breach !== undefined) void end(one, breach, 0)
    one.checkingDisk = false
  }

  async function capLog(at: AttemptPaths): Promise<void> {
    const found = await stat(at.log).catch(() => undefined)
    if (found !== undefined && found.size > maxLogBytes) await truncate(at.log, maxLogBytes).catch(() => undefined)
  }

  function end(one: Followed, reason: Breach, grace: number): Promise<void> {
    one.ending ??= (async () => {
      await writeFile(one.at.stop, JSON.stringify(reason), { flag: 'wx' }).catch(() => undefined)
      const killAt = clock.now() + grace
      const asked = new Set<number>()
      while (one.settling === undefined && followed.has(one.attemptId)) {
        if (isSupervisor(one.pid, one.at)) {
          signalStep(one, clock.now() >= killAt, asked)
          await Promise.race([one.settled.promise, delay(50)])
        } else void settle(one)
      }
      await one.settling
    })().catch((error) => {
      // The reason is on disk: whoever adopts the attempt next goes on with it.
      one.settled.reject(error)
      forget(one)
    })
    return one.ending
  }

  /** Asks each process once to end; or kills them all. */
  function signalStep(one: Followed, kill: boolean, asked: Set<number>): void {
    const table = readProcessTable()
    const pids = kill ? lastProcesses(one, table) : stepProcesses(one, table).filter((pid) => !asked.has(pid))
    signalAll(pids, kill ? 'SIGKILL' : 'SIGTERM')
    for (const pid of pids) asked.add(pid)
  }

  /** `sh run.sh`, which waits for the step. */
  function firstProcess(one: Followed, table: ProcessTable): number | undefined {
    const script = join(one.at.work, 'run.sh')
    return descendantsOf(table, one.pid).find((pid) => {
      const command = commandOf(pid)
      return command.length === 2 && command[1] === script
    })
  }

  /** The processes of the step itself, also those that left its tree where nothing holds them together. */
  function stepProcesses(one: Followed, table: ProcessTable): number[] {
    const first = firstProcess(one, table)
    const below = first === undefined ? [] : descendantsOf(table, first)
    if (ownProcesses) return below
    const known = new Set([one.pid, ...descendantsOf(table, one.pid)])
    return [...below, ...processesMarked(attemptVariable, one.attemptId).filter((pid) => !known.has(pid))]
  }

  /** The step with its first process; before that one is there, whatever is on the way to it. */
  function lastProcesses(one: Followed, table: ProcessTable): number[] {
    const first = firstProcess(one, table)
    return first === undefined ? descendantsOf(table, one.pid) : [first, ...stepProcesses(one, table)]
  }

  function settle(one: Followed): Promise<void> {
    one.settling ??= (async () => {
      try {
        await killRest(one)
        await capLog(one.at)
        // From here on the step's uid cannot reach what it left.
        await chmod(one.at.directory, 0o700)
        const result = await judgeAttempt(one.at, one.record, one.maxRssMb)
        await keep(one.at, result)
        one.settled.resolve(result)
      } catch (error) {
        one.settled.reject(error)
      } finally {
        forget(one)
      }
    })()
    return one.settling
  }

  /** A process namespace ends with its first process. Elsewhere, and where something was killed, the rest is looked for. */
  async function killRest(one: Followed): Promise<void> {
    const exited = await stat(one.at.exit).catch(() => undefined)
    if (ownProcesses && exited !== undefined && one.ending === undefined) return
    for (let passes = 0; passes < 100; passes++) {
      const rest = processesMarked(attemptVariable, one.attemptId)
      if (rest.length === 0) return
      signalAll(rest, 'SIGKILL')
      await delay(10)
    }
  }

  function forget(one: Followed): void {
    followed.delete(one.attemptId)
    if (followed.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  return {
    follow(beginning) {
      const settled = Promise.withResolvers<StepResult>()
      settled.promise.catch(() => undefined)
      followed.set(beginning.attemptId, {
        ...beginning,
        maxRssMb: 0,
        checkingDisk: false,
        ending: undefined,
        settling: undefined,
        settled,
      })
      timer ??= setInterval(look, lookEveryMs)
      return { attemptId: beginning.attemptId, result: settled.promise }
    },
    find(attemptId) {
      const one = followed.get(attemptId)
      return one && { attemptId, result: one.settled.promise }
    },
    ended(attemptId) {
      const one = followed.get(attemptId)
      if (one !== undefined) void settle(one)
    },
    async end(attemptId, reason) {
      const one = followed.get(attemptId)
      if (one !== undefined) await end(one, reason, graceMs)
    },
    close() {
      for (const one of followed.values()) {
        one.settled.reject(
          computeFailure('compute_closed', `Pave stopped following attempt ${one.attemptId}, which goes on`),
        )
        forget(one)
      }
    },
  }
}

/** So that a later reader need not judge again; if this fails, it can. */
async function keep(at: AttemptPaths, result: StepResult): Promise<void> {
  const unfinished = `${at.result}.tmp`
  await writeFile(unfinished, JSON.stringify(result), { mode: 0o600 })
    .then(() => rename(unfinished, at.result))
    .catch(() => undefined)
}
