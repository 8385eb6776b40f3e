import { execFile } from 'node:child_process'
import { chmod, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import { platformFailure } from '../errors.ts'
import { type AttemptPaths, attemptPaths, prepareAttempt } from './attempt-directory.ts'
import { type Attempt, type Compute, computeFailure, type StepSpec } from './compute.ts'
import { openEnvironments } from './environments.ts'
import { createFollower } from './follow-attempts.ts'
import { AttemptRecord, StoredResult } from './judge-attempt.ts'
import { findLauncher, type Launcher } from './launcher.ts'
import { nodeDirectory } from './node-binary.ts'
import { readJson } from './read-json.ts'
import { checkSpec, isAttemptId } from './step-contract.ts'
import { claimedPid, isSupervisor, startSupervisor, systemPath } from './supervisor.ts'
import { workspaceUid } from './workspace-uid.ts'

export interface LocalComputeOptions {
  /** Others must be able to pass through it (mode 0711) where steps get their own uid. */
  dataDir: string
  clock: Clock
  log?: Logger
  asRoot: boolean
  /** The Node binary that steps find first in their PATH. */
  node: { binary: string; version: string }
  /** File of the authorities that programs of steps are to trust; without it they trust their own. */
  trustBundle?: string | undefined
  /** Found by trying when it is not given. */
  launcher?: Launcher
  /** How long a step may take to end politely. */
  graceMs?: number
  maxLogBytes?: number
  /** How often the limits are looked at. */
  lookEveryMs?: number
}

/**
 * Steps as processes of this machine, Linux only. A shell supervises each one in a session of its own, so that it survives
 * Pave. Pave watches memory, disk, processes and time; while it is away the kernel holds coarser limits, and `timeout`
 * the deadline. The network is open to steps.
 */
export async function openLocalCompute(options: LocalComputeOptions): Promise<Compute> {
  const { clock, log, node, graceMs = 5000, maxLogBytes = 16 * 1024 * 1024, lookEveryMs = 250 } = options
  const dataDir = resolve(options.dataDir)
  const root = join(dataDir, 'compute')
  const attempts = join(root, 'attempts')
  await mkdir(attempts, { recursive: true })
  for (const path of [root, attempts]) await chmod(path, 0o711)
  const environments = await openEnvironments(join(root, 'environments'))
  await environments.prune(
    clock.now(),
    async (attemptId) => (await stat(join(attempts, attemptId)).catch(() => undefined)) !== undefined,
  )
  const launcher = options.launcher ?? (await findLauncher(dataDir, options.asRoot))
  const { ownUid, ownProcesses, isolation } = launcher
  const nodePath = await nodeDirectory(node.binary, node.version, ownUid ? dataDir : undefined)
  const follower = createFollower({ clock, log, ownProcesses, graceMs, maxLogBytes, lookEveryMs })
  const opening = new Map<string, Promise<Attempt>>()
  const uids = new Map<string, number>()
  const pathsOf = (attemptId: string) => attemptPaths(join(attempts, attemptId))

  async function uidOf(workspace: string): Promise<number> {
    const uid = uids.get(workspace) ?? (await workspaceUid(join(root, 'uids'), workspace))
    uids.set(workspace, uid)
    return uid
  }

  /** Whoever asks for an attempt while it is being started or adopted gets that one. */
  function openOnce(attemptId: string, work: () => Promise<Attempt>): Promise<Attempt> {
    const known = follower.find(attemptId)
    if (known !== undefined) return Promise.resolve(known)
    const current = opening.get(attemptId) ?? work().finally(() => opening.delete(attemptId))
    opening.set(attemptId, current)
    return current
  }

  async function startNow(spec: StepSpec): Promise<Attempt> {
    if (process.platform !== 'linux')
      throw computeFailure('compute_unavailable', `Steps do not run on ${process.platform}`)
    const at = pathsOf(spec.attemptId)
    if (!(await madeDirectory(at.directory))) return adoptNow(spec.attemptId)
    try {
      const uid = ownUid ? await uidOf(spec.workspace) : undefined
      const environment = await placeEnvironment(spec, uid)
      const record = recordOf(spec, uid, environment?.writable === true ? environment.directory : undefined)
      await writeFile(at.record, JSON.stringify(record), { mode: 0o600 })
      await prepareAttempt(spec, at, {
        owner: uid,
        searchPath: `${nodePath}:${systemPath}`,
        linkInputs: isolation.kind !== 'user_namespace',
        limitProcesses: isolation.kind !== 'none',
        environment: environment?.directory,
        trustBundle: options.trustBundle,
      })
      const deadline = Math.ceil((spec.timeoutMs + graceMs) / 1000) + 5
      const confined = launcher.command({ work: at.work, uid: uid ?? 0, dataDir, environment })
      const child = await startSupervisor(spec.attemptId, at, ['timeout', '-s', 'KILL', `${deadline}`, ...confined])
      child.once('exit', () => follower.ended(spec.attemptId))
      return follower.follow({ attemptId: spec.attemptId, at, record, pid: child.pid, startedMs: clock.now() })
    } catch (error) {
      await rm(at.directory, { recursive: true, force: true })
      throw error
    }
  }

  async function placeEnvironment({ workspace, attemptId, environment }: StepSpec, uid: number | undefined) {
    if (environment === undefined) return undefined
    const { key, access } = environment
    if (access === 'make') {
      return { directory: await environments.begin(workspace, key, attemptId, uid), writable: true }
    }
    const directory = await environments.find(workspace, key, clock.now())
    if (directory === undefined) throw computeFailure('environment_missing', `The environment ${key} is not here`)
    return { directory, writable: false }
  }

  function nameFullDisk(error: unknown): never {
    if (!hasCode(error, 'ENOSPC')) throw error
    throw platformFailure('disk_full', `No space is left in ${dataDir} for the files of the step`, { cause: error })
  }

  async function adoptNow(attemptId: string): Promise<Attempt> {
    const at = pathsOf(attemptId)
    const known = isAttemptId(attemptId) ? await stat(at.directory).catch(() => undefined) : undefined
    if (known === undefined)
      throw computeFailure('attempt_not_found', `There is no attempt ${JSON.stringify(attemptId)} on this machine`)
    const result = await readJson(at.result, StoredResult)
    if (result !== undefined) return { attemptId, result: Promise.resolve(result) }
    const record = await readJson(at.record, AttemptRecord)
    const pid = (await claimedPid(at)) ?? 0
    const { mtimeMs: startedMs } = await stat(at.supervisor)
    const attempt = follower.follow({ attemptId, at, record, pid, startedMs })
    const stopped = await stat(at.stop).catch(() => undefined)
    if (!isSupervisor(pid, at)) follower.ended(attemptId)
    else if (stopped !== undefined) void follower.end(attemptId, cancelled)
    return attempt
  }

  const compute: Compute = {
    isolation,
    async start(spec) {
      checkSpec(spec)
      return openOnce(spec.attemptId, () => startNow(spec).catch(nameFullDisk))
    },
    adopt: (attemptId) => openOnce(attemptId, () => adoptNow(attemptId)),
    async list() {
      const ids = (await readdir(attempts)).filter(isAttemptId).sort()
      return Promise.all(ids.map(async (attemptId) => ({ attemptId, running: await isRunning(pathsOf(attemptId)) })))
    },
    async stop(attemptId) {
      const attempt = await compute.adopt(attemptId)
      await follower.end(attemptId, cancelled)
      await attempt.result
    },
    async readLog(attemptId, { offset = 0, limit = 1024 * 1024 } = {}) {
      const file = isAttemptId(attemptId) ? await open(pathsOf(attemptId).log).catch(() => undefined) : undefined
      if (file === undefined)
        throw computeFailure(
          'attempt_not_found',
          `There is no log of attempt ${JSON.stringify(attemptId)} on this machine`,
        )
      try {
        const { size } = await file.stat()
        const kept = Math.min(size, maxLogBytes)
        const length = Math.max(0, Math.min(limit, kept - offset))
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset)
        return {
          bytes: buffer.subarray(0, bytesRead),
          next: offset + bytesRead,
          size: kept,
          capped: size >= maxLogBytes,
        }
      } finally {
        await file.close()
      }
    },
    async hasEnvironment(workspace, key) {
      return (await environments.find(workspace, key, clock.now())) !== undefined
    },
    async keepEnvironment(attemptId) {
      const record = await readJson(pathsOf(attemptId).record, AttemptRecord)
      if (record?.makes !== undefined) await environments.keep(record.makes, record.owner)
    },
    async discard(attemptId) {
      if (!isAttemptId(attemptId) || (await stat(pathsOf(attemptId).directory).catch(() => undefined)) === undefined)
        return
      await compute.stop(attemptId)
      const record = await readJson(pathsOf(attemptId).record, AttemptRecord)
      if (record?.makes !== undefined) await environments.drop(record.makes)
      await removeTree(pathsOf(attemptId).directory)
    },
    async close() {
      follower.close()
    },
  }
  return compute
}

const cancelled = { status: 'cancelled', reason: 'It was cancelled.' } as const

function recordOf(spec: StepSpec, owner: number | undefined, makes: string | undefined): AttemptRecord {
  return {
    workspace: spec.workspace,
    command: typeof spec.command === 'string' ? spec.command : spec.command.join(' '),
    outputs: [...spec.outputs],
    resources: spec.resources,
    timeoutMs: spec.timeoutMs,
    owner,
    makes,
  }
}

async function isRunning(at: AttemptPaths): Promise<boolean> {
  const pid = await readFile(at.supervisor, 'utf8').catch(() => '')
  return isSupervisor(Number.parseInt(pid, 10) || 0, at)
}

/** Also what a step that shares our uid has closed to itself. */
async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true })
  } catch (error) {
    if (!hasCode(error, 'EACCES')) throw error
    await promisify(execFile)('chmod', ['-R', 'u+rwX', path])
    await rm(path, { recursive: true, force: true })
  }
}

/** Answers whether it was not there before. */
async function madeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path)
    await chmod(path, 0o711)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
