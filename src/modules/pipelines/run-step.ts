import { setTimeout as delay } from 'node:timers/promises'
import { PaveError } from '#platform/errors.ts'
import { callOperation } from './call-operation.ts'
import { finishStep, startStep } from './contract.ts'
import { type AttemptEnd, attemptEnd, type Drive, endsWork, record, type StepProgress } from './drive.ts'
import type { PlannedStep } from './plan-steps.ts'
import { type PreparedStep, prepareStep } from './prepare-step.ts'
import { discardAttempt, runCommand } from './run-command.ts'
import { pipelinesFailure } from './tables.ts'

const longestBackoffMs = 60_000
/** Attempts whose end was not seen before that counts as a failure: something kills the machine. */
const mostLost = 3

/**
 * Brings one step to its end, over as many attempts as it may have, from wherever it is: an attempt that runs is taken up.
 *
 * @throws `step_failed`; what the signal was aborted with; troubles of Pave itself, after which the step can be taken up.
 */
export async function runStep(drive: Drive, planned: PlannedStep, progress: StepProgress): Promise<void> {
  const { name } = planned
  for (;;) {
    if (progress.state === 'retrying') await delay(backoffOf(planned, progress), undefined, { signal: drive.signal })
    drive.signal.throwIfAborted()
    const prepared = await prepareStep(drive, planned).catch(problemOnly)
    if (progress.state !== 'running') {
      const attempt = progress.attempt + 1
      const begun = await beginAttempt(drive, name, attempt, prepared)
      Object.assign(progress, { ...begun, attempt })
      if (begun.state === 'done') return
    }
    const { attempt } = progress
    const end = await perform(drive, planned, attempt, prepared).catch(failedBy)
    const mayRetry = end.state === 'failed' && retryAllowed(planned, progress, end)
    const { state } = await record(drive, `${name}:${attempt}:finish`, finishStep, {
      run: drive.run.id,
      step: name,
      attempt,
      state: mayRetry ? 'retrying' : end.state,
      lost: end.lost,
      exitCode: end.exitCode,
      reason: end.reason.slice(0, 4000),
      outputs: end.outputs,
      result: end.result,
      logDigest: end.logDigest,
      usage: end.usage,
      inputs: prepared instanceof PaveError ? [] : prepared.uses,
    })
    if (planned.work.kind === 'command') discardAttempt(drive, name, attempt)
    Object.assign(progress, {
      state,
      outputs: end.outputs,
      result: end.result,
      lost: progress.lost + (end.lost ? 1 : 0),
    })
    if (state === 'done') return
    if (state !== 'retrying') throw endsWork(drive.signal.reason) ? drive.signal.reason : stepFailed(name, end)
  }
}

function beginAttempt(drive: Drive, step: string, attempt: number, prepared: PreparedStep | PaveError) {
  const plan = prepared instanceof PaveError ? { recipe: null, always: 'it could not begin', uses: [] } : prepared
  return record(drive, `${step}:${attempt}:start`, startStep, {
    run: drive.run.id,
    step,
    attempt,
    recipe: plan.recipe === null ? null : { ...plan.recipe },
    always: plan.always,
    inputs: plan.uses,
  })
}

async function perform(
  drive: Drive,
  planned: PlannedStep,
  attempt: number,
  prepared: PreparedStep | PaveError,
): Promise<AttemptEnd> {
  if (prepared instanceof PaveError) throw prepared
  const { work } = planned
  return work.kind === 'command'
    ? runCommand(drive, planned, attempt, prepared)
    : callOperation(drive, planned, work.operation, attempt, prepared)
}

/** What is wrong with the step ends the attempt; what is wrong with Pave goes on as it came. */
function problemOnly(error: unknown): PaveError {
  if (endsWork(error)) return error
  throw error
}

function failedBy(error: unknown): AttemptEnd {
  const problem = problemOnly(error)
  return attemptEnd({ state: 'failed', reason: problem.message, retryable: problem.status >= 500 })
}

function retryAllowed({ step }: PlannedStep, { attempt, lost }: StepProgress, end: AttemptEnd): boolean {
  if (end.lost) return lost + 1 < mostLost
  return end.retryable && attempt - lost <= step.retries
}

function backoffOf({ backoffMs }: PlannedStep, { attempt }: StepProgress): number {
  return Math.min(longestBackoffMs, backoffMs * 2 ** (attempt - 1))
}

function stepFailed(step: string, end: AttemptEnd): PaveError {
  const said = end.lastLines.length > 0 ? ` Its last lines: ${end.lastLines.join('\n').slice(-500)}` : ''
  return pipelinesFailure('step_failed', `Step ${step} failed. ${end.reason}${said}`, {
    details: { step, exitCode: end.exitCode, log: end.lastLines },
  })
}
