import { rm } from 'node:fs/promises'
import { z } from 'zod'
import { issueRunToken } from '#modules/identity/contract.ts'
import { listWorkspaces } from '#modules/identity/queries.ts'
import { PaveError } from '#platform/errors.ts'
import { defineJob, type JobContext } from '#platform/job.ts'
import { controlPlaneUrl } from '#platform/tls/server-names.ts'
import { operationOf } from './call-operation.ts'
import { finishRun, type RunError, type StepState } from './contract.ts'
import { type Drive, endsWork, patiently, record, type StepProgress } from './drive.ts'
import { type PlannedStep, planSteps } from './plan-steps.ts'
import { requireRun, stepsOf } from './queries.ts'
import { scratchOf } from './run-command.ts'
import { runStep } from './run-step.ts'
import { pipelinesFailure, type RunRow } from './tables.ts'

const timeoutMs = 12 * 3_600_000
/** Jobs and operations that one run may have going at once. */
const mostCalls = 8
const longestCode = 320 * 1024 * 1024
const progressEveryMs = 1000
/** The two blocks that end a tar. */
const emptyBundle = new Uint8Array(1024)

/** Carries a run out, or on: what its rows say is finished is not done again. */
export const runJob = defineJob({
  name: 'run-pipeline',
  input: z.object({ run: z.uuid() }),
  retries: 10,
  timeoutMs,
  concurrency: 8,
  async run(ctx, { run: id }) {
    const run = await patiently(() => ctx.read((db) => requireRun(db, id)))
    if (run.state === 'failed' || run.state === 'cancelled') throw asFailure(run)
    if (run.state !== 'done') await carryOut(ctx, run)
    return { run: id, pipeline: run.pipeline }
  },
})

async function carryOut(ctx: JobContext, run: RunRow): Promise<void> {
  const failing = new AbortController()
  const drive = await openDrive(ctx, run, failing.signal)
  try {
    const planned = planSteps(run.spec)
    await requireCarriable(ctx, planned)
    await runSteps(drive, planned, failing)
    await record(drive, 'done', finishRun, { run: run.id, state: 'done' })
  } catch (error) {
    const reason = ctx.signal.aborted ? ctx.signal.reason : error
    if (!endsWork(reason)) throw reason
    const state = reason.code === 'job_cancelled' ? 'cancelled' : 'failed'
    await record(drive, 'ended', finishRun, { run: run.id, state, error: state === 'failed' ? runError(reason) : null })
    throw reason
  } finally {
    await Promise.allSettled(drive.chores)
    await rm(scratchOf(drive), { recursive: true, force: true })
  }
}

/** Each step begins as soon as what it needs is done. The first failure ends the others. */
async function runSteps(drive: Drive, planned: readonly PlannedStep[], failing: AbortController): Promise<void> {
  const { ctx, run, steps } = drive
  const running = new Map<PlannedStep, Promise<void>>()
  let firstError: unknown
  let told = 0
  const stateOf = (name: string): StepState => steps.get(name)?.state ?? 'pending'
  const fits = ({ work }: PlannedStep) => {
    const commands = [...running.keys()].filter((one) => one.work.kind === 'command').length
    return work.kind === 'command' ? commands < run.spec.parallelism : running.size - commands < mostCalls
  }
  const begin = (one: PlannedStep, progress: StepProgress) => {
    const ended = runStep(drive, one, progress)
      .catch((error) => {
        firstError ??= error
        failing.abort(error)
      })
      .finally(() => running.delete(one))
    running.set(one, ended)
  }
  let waiting = planned.filter(({ name }) => stateOf(name) !== 'done')
  for (;;) {
    for (const one of waiting) {
      const progress = steps.get(one.name)
      const ready = [...one.needs].every((name) => stateOf(name) === 'done')
      if (progress !== undefined && ready && !drive.signal.aborted && fits(one)) begin(one, progress)
    }
    waiting = waiting.filter((one) => !running.has(one))
    if (running.size === 0) break
    if (ctx.clock.now() - told >= progressEveryMs) {
      told = ctx.clock.now()
      const done = planned.length - waiting.length - running.size
      const names = [...running.keys()].map(({ name }) => name).join(', ')
      const telling = ctx.progress(done / planned.length, names)
      drive.chores.push(telling.catch((error) => ctx.log.warn({ err: error }, 'the progress of a run was not kept')))
    }
    await Promise.race(running.values())
  }
  if (firstError !== undefined) throw firstError
  drive.signal.throwIfAborted()
}

async function openDrive(ctx: JobContext, run: RunRow, failing: AbortSignal): Promise<Drive> {
  const rows = await patiently(() => ctx.read((db) => stepsOf(db, run.id)))
  return {
    ctx,
    run,
    steps: new Map(
      rows.map(({ step, state, attempt, lost, outputs, result }) => [step, { state, attempt, lost, outputs, result }]),
    ),
    signal: AbortSignal.any([ctx.signal, failing]),
    code: once(async () => {
      if (run.spec.code === undefined) return emptyBundle
      return ctx.services.objects.read(run.spec.code.digest, { maxBytes: longestCode })
    }),
    environment: once(() => environmentOf(ctx, run)),
    chores: [],
  }
}

/** A step finds Pave, and speaks to it as whoever the run acts for. */
async function environmentOf(ctx: JobContext, run: RunRow): Promise<Record<string, string>> {
  const address = controlPlaneUrl(ctx.services.config)
  // A step's uid has no name on the machine; programs that ask for one, such as MLflow, get that of whom it acts for.
  const environment = { PAVE_URL: address, MLFLOW_TRACKING_URI: address, PAVE_RUN_ID: run.id, USER: run.actor.name }
  if (run.actor.kind === 'system') return environment
  const { token } = await ctx.platform.run(issueRunToken, {
    actor: run.actor,
    input: { run: run.id, principal: run.actor.id },
  })
  return { ...environment, PAVE_TOKEN: token, MLFLOW_TRACKING_TOKEN: token }
}

/** @throws `operation_unknown`, `isolation_unavailable` */
async function requireCarriable(ctx: JobContext, planned: readonly PlannedStep[]): Promise<void> {
  for (const one of planned) if (one.work.kind !== 'command') operationOf({ ctx }, one)
  const { isolation } = ctx.services.compute
  if (isolation.kind !== 'none' || !planned.some(({ work }) => work.kind === 'command')) return
  if ((await listWorkspaces(ctx.platform)).length > 1) {
    throw pipelinesFailure('isolation_unavailable', `Steps of two workspaces would not be apart. ${isolation.detail}`)
  }
}

const FailedStep = z.object({ step: z.string(), exitCode: z.int().nullable(), log: z.array(z.string()) })

function runError({ code, message, hint, details }: PaveError): RunError {
  const failed = FailedStep.safeParse(details)
  const { step, exitCode, log } = failed.success ? failed.data : { step: null, exitCode: null, log: [] }
  return { code, message, hint, step, exitCode, log }
}

/** How a run ended that its job is asked for again. */
function asFailure(run: RunRow): PaveError {
  const told = run.error ?? { code: 'run_ended', message: `Run ${run.id} is ${run.state}`, hint: '' }
  return new PaveError(told.code, told.message, { status: 409, hint: told.hint })
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= work()
    return made
  }
}
