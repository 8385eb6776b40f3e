import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { AttemptPaths } from './attempt-directory.ts'
import { commandOf } from './processes.ts'

const wrapper = join(import.meta.dirname, 'wrapper.sh')

/** What a program finds by name when nothing else is said. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Every process of an attempt starts with its id in this variable. */
export const attemptVariable = 'PAVE_ATTEMPT_ID'

/**
 * Starts the shell that runs `command` for an attempt, in a session of its own, so that it outlives us. Nothing of the
 * step's environment reaches it: it may run as root.
 */
export async function startSupervisor(
  attemptId: string,
  at: AttemptPaths,
  command: readonly string[],
): Promise<ChildProcess & { pid: number }> {
  const child = spawn('/bin/sh', [wrapper, at.directory, ...command], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
    env: { PATH: systemPath, [attemptVariable]: attemptId },
  })
  await once(child, 'spawn')
  child.unref()
  return Object.assign(child, { pid: child.pid ?? 0 })
}

/** The pid of the supervisor. Where none has begun, none will from now on: the answer is undefined for ever. */
export async function claimedPid(at: AttemptPaths): Promise<number | undefined> {
  try {
    await writeFile(at.supervisor, 'nobody\n', { flag: 'wx' })
    return undefined
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  // Between making the file and writing the pid lies an instant.
  for (let tries = 0; tries < 20; tries++) {
    const text = await readFile(at.supervisor, 'utf8')
    if (text.endsWith('\n')) return /^\d+\n$/.test(text) ? Number(text) : undefined
    await delay(50)
  }
  return undefined
}

/** Whether this process is the supervisor of that attempt, and not one that got its pid later. */
export function isSupervisor(pid: number, at: AttemptPaths): boolean {
  const [, script, directory] = commandOf(pid)
  return script === wrapper && directory === at.directory
}
