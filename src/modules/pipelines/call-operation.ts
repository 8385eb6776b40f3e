import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { z } from 'zod'
import { systemActor } from '#platform/actor.ts'
import { cancelJob, type Job } from '#platform/kernel/contract.ts'
import { Digest } from '#platform/names.ts'
import type { Db } from '#platform/storage/database/database.ts'
import type { Artifact } from './contract.ts'
import { type AttemptEnd, attemptEnd, type Drive, endsWork, patiently } from './drive.ts'
import type { PlannedStep } from './plan-steps.ts'
import type { PreparedStep } from './prepare-step.ts'
import { attemptId, pipelinesFailure } from './tables.ts'

/** How soon a job's end is seen when the news of it got lost. */
const lookAgainMs = 1000

/**
 * One attempt at a job or operation, as whoever the run acts for. The attempt is the idempotency key, so that a crash
 * does not start a second job.
 */
export async function callOperation(
  drive: Drive,
  planned: PlannedStep,
  name: string,
  attempt: number,
  prepared: PreparedStep,
): Promise<AttemptEnd> {
  const { ctx, run } = drive
  const operation = operationOf(drive, planned)
  const call = { actor: run.actor, input: prepared.with, idempotencyKey: attemptId(run.id, planned.name, attempt) }
  const answer = await patiently(() => ctx.platform.run(operation, call))
  if (planned.work.kind === 'operation') {
    return attemptEnd({ state: 'done', reason: `${name} has answered.`, result: answer ?? null })
  }
  const started = JobAnswer.safeParse(answer)
  if (!started.success) {
    return attemptEnd({ state: 'failed', reason: `${name} did not start its job; it may wait for an approval.` })
  }
  const job = await untilEnded(drive, started.data.job)
  if (job.state === 'cancelled') return attemptEnd({ state: 'cancelled', reason: `The job ${name} was cancelled.` })
  if (job.state === 'failed') {
    return attemptEnd({ state: 'failed', reason: `${name} failed: ${job.error?.message ?? 'no reason was given'}` })
  }
  return attemptEnd({
    state: 'done',
    reason: `The job ${name} is done.`,
    result: job.result,
    outputs: await outputsOf(drive, planned, job.result),
  })
}

const JobAnswer = z.object({ job: z.uuid() })

/** `operation_unknown` when there is none of this name, or it is of the other kind. */
export function operationOf({ ctx }: Pick<Drive, 'ctx'>, { name, work }: PlannedStep) {
  if (work.kind === 'command') throw new TypeError(`Step ${name} is a command`)
  const operation = ctx.platform.operations.get(work.operation)
  if (operation === undefined) {
    throw pipelinesFailure('operation_unknown', `Step ${name}: there is no operation ${work.operation}`)
  }
  if ((operation.job === true) !== (work.kind === 'job')) {
    const hint = `Write \`${operation.job ? 'job' : 'operation'}: ${work.operation}\`.`
    const what = operation.job ? 'starts a job' : 'starts no job'
    throw pipelinesFailure('operation_unknown', `Step ${name}: ${work.operation} ${what}`, { hint })
  }
  return operation
}

type EndedJob = Pick<Job, 'state' | 'result' | 'error'>

async function readJob(db: Db, id: string): Promise<EndedJob | undefined> {
  const { rows } = await sql<EndedJob>`select state, result, error from platform.job where id = ${id}`.execute(db)
  return rows[0]
}

/** Ends the job when the run ends; leaves it running when Pave lets go of the run. */
async function untilEnded({ ctx, signal }: Drive, id: string): Promise<EndedJob> {
  let wake = () => {}
  const onAbort = () => wake()
  signal.addEventListener('abort', onAbort)
  const forget = ctx.platform.events.follow(ctx.workspace, ({ type, data }) => {
    if (type === 'job' && data.id === id && data.state !== undefined) wake()
  })
  try {
    for (let cancelled = false; ; ) {
      const news = new Promise<void>((resolve) => {
        wake = resolve
      })
      const job = await patiently(() => ctx.read((db) => readJob(db, id)))
      if (job === undefined) throw pipelinesFailure('reference_unresolved', `There is no job ${id}`)
      if (job.state !== 'queued' && job.state !== 'running') return job
      if (signal.aborted && !cancelled) {
        if (!endsWork(signal.reason)) throw signal.reason
        cancelled = true
        await ctx.platform.run(cancelJob, { actor: systemActor(ctx.workspace), input: { job: id } })
      }
      await Promise.race([news, delay(lookAgainMs, undefined, { ref: false })])
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    forget()
  }
}

/** The objects that the fields of a job's result name. */
async function outputsOf({ ctx }: Drive, { name, step }: PlannedStep, result: unknown) {
  const outputs: Record<string, Artifact> = {}
  if (Array.isArray(step.outputs)) return outputs
  const fields = new Map<string, unknown>(Object.entries(Object(result)))
  for (const [output, field] of Object.entries(step.outputs)) {
    const digest = Digest.safeParse(fields.get(field))
    if (!digest.success || !(await ctx.services.objects.has(digest.data))) {
      throw pipelinesFailure(
        'reference_unresolved',
        `Step ${name}: field ${field} of the result names no stored object`,
      )
    }
    outputs[output] = { digest: digest.data, directory: false }
  }
  return outputs
}
