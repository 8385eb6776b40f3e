import { createReadStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { packBundle, unpackBundle } from '#platform/compute/bundle.ts'
import type { StepResult } from '#platform/compute/compute.ts'
import type { Artifact } from './contract.ts'
import { type AttemptEnd, attemptEnd, type Drive, endsWork } from './drive.ts'
import { outputNames, type PlannedStep } from './plan-steps.ts'
import { type PreparedStep, prepareStep } from './prepare-step.ts'
import { environmentOf } from './step-environment.ts'
import { attemptId } from './tables.ts'

const longestLog = 16 * 1024 * 1024
const longestBundle = 320 * 1024 * 1024

/** One attempt at a command; one that runs already, or has ended unseen, is taken up. */
export async function runCommand(
  drive: Drive,
  planned: PlannedStep,
  attempt: number,
  prepared: PreparedStep,
): Promise<AttemptEnd> {
  const { ctx, run } = drive
  const { compute } = ctx.services
  const id = attemptId(run.id, planned.name, attempt)
  const { environment } = prepared
  if (environment?.access === 'use' && !(await compute.hasEnvironment(ctx.workspace, environment.key))) {
    // The step that made it ran on another machine, or it was removed since.
    const maker = (await environmentOf(drive, planned))?.maker
    const making = `${id}-env`
    const made = maker && (await runAttempt(drive, maker, making, await prepareStep(drive, maker)))
    if (made !== undefined && made.state !== 'done') return made
    await compute.discard(making)
  }
  return runAttempt(drive, planned, id, prepared)
}

async function runAttempt(drive: Drive, planned: PlannedStep, id: string, prepared: PreparedStep): Promise<AttemptEnd> {
  const { ctx } = drive
  const { compute } = ctx.services
  const { environment } = prepared
  if (planned.work.kind !== 'command') throw new TypeError(`Step ${planned.name} is no command`)
  const { memoryMb, diskMb, processes, cpuSeconds } = planned.step.resources
  const started = await compute.start({
    attemptId: id,
    workspace: ctx.workspace,
    command: planned.work.command,
    code: { bundle: await prepared.code() },
    ...(environment !== undefined && { environment }),
    inputs: await inputPaths(drive, prepared.inputs),
    outputs: outputNames(planned.step),
    params: prepared.params,
    env: await drive.environment(),
    resources: { memoryMb, diskMb, processes, ...(cpuSeconds !== undefined && { cpuSeconds }) },
    timeoutMs: planned.timeoutMs,
  })
  const result = await untilEnded(drive, id, started.result)
  const { bytes } = await compute.readLog(id, { limit: longestLog })
  const log = bytes.length > 0 ? await ctx.services.objects.put(bytes) : undefined
  const ended = {
    exitCode: result.exitCode ?? null,
    logDigest: log?.digest ?? null,
    usage: result.usage,
    reason: result.reason,
  }
  if (result.status === 'succeeded') {
    if (environment?.access === 'make') await compute.keepEnvironment(id)
    return attemptEnd({ ...ended, state: 'done', outputs: await keepOutputs(drive, result.outputs) })
  }
  return attemptEnd({
    ...ended,
    state: result.status === 'cancelled' ? 'cancelled' : 'failed',
    lost: result.status === 'lost',
    lastLines: lastLines(bytes),
  })
}

/** Its files are needed until its end is entered. */
export function discardAttempt({ ctx, run, chores }: Drive, step: string, attempt: number): void {
  const id = attemptId(run.id, step, attempt)
  const discarding = ctx.services.compute.discard(id)
  chores.push(discarding.catch((error) => ctx.log.warn({ err: error, attempt: id }, 'an attempt left files behind')))
}

/** When Pave lets go of the attempt, this rejects and the attempt goes on. */
function untilEnded({ ctx, signal }: Drive, id: string, result: Promise<StepResult>): Promise<StepResult> {
  const letGo = Promise.withResolvers<never>()
  const onAbort = () => {
    if (!endsWork(signal.reason)) return letGo.reject(signal.reason)
    ctx.services.compute.stop(id).catch(letGo.reject)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  return Promise.race([result, letGo.promise]).finally(() => signal.removeEventListener('abort', onAbort))
}

async function inputPaths(drive: Drive, inputs: Record<string, Artifact>): Promise<Record<string, string>> {
  const paths: Record<string, string> = {}
  for (const [name, { digest, directory }] of Object.entries(inputs)) {
    paths[name] = directory ? await unpacked(drive, digest) : await drive.ctx.services.objects.localPath(digest)
  }
  return paths
}

/** Directory of a run for what its steps read. */
export function scratchOf({ ctx, run }: Drive): string {
  return join(ctx.services.config.dataDir, 'scratch', run.id)
}

async function unpacked(drive: Drive, digest: string): Promise<string> {
  const target = join(scratchOf(drive), digest.slice('sha256:'.length))
  if (await exists(target)) return target
  const bytes = await drive.ctx.services.objects.read(digest, { maxBytes: longestBundle })
  const unfinished = `${target}-${drive.ctx.ids.next()}`
  await mkdir(unfinished, { recursive: true })
  await unpackBundle(bytes, unfinished)
  // Another step may have been faster, with the same bytes.
  await rename(unfinished, target).catch(() => rm(unfinished, { recursive: true, force: true }))
  return target
}

async function keepOutputs({ ctx }: Drive, paths: Record<string, string>): Promise<Record<string, Artifact>> {
  const kept: Record<string, Artifact> = {}
  for (const [name, path] of Object.entries(paths)) {
    const directory = (await stat(path)).isDirectory()
    const content = directory ? (await packBundle(path, { ignore: [] })).bytes : createReadStream(path)
    kept[name] = { digest: (await ctx.services.objects.put(content)).digest, directory }
  }
  return kept
}

/** At most 20 lines and 2,000 characters. */
function lastLines(log: Buffer): string[] {
  const text = log.subarray(-8000).toString().trimEnd().slice(-2000)
  return text === '' ? [] : text.split('\n').slice(-20)
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
