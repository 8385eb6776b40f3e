import { setTimeout as delay } from 'node:timers/promises'
import type { z } from 'zod'
import { systemActor } from '#platform/actor.ts'
import { PaveError } from '#platform/errors.ts'
import type { JobContext } from '#platform/job.ts'
import type { AnswerOf, Operation } from '#platform/operation.ts'
import { translateDatabaseError } from '#platform/storage/database/translate-error.ts'
import type { Artifact, StepState } from './contract.ts'
import type { RunRow } from './tables.ts'

/** A run while a job carries it out. */
export interface Drive {
  ctx: JobContext
  run: RunRow
  steps: ReadonlyMap<string, StepProgress>
  /** Aborted when the job is, or when another step of the run failed. */
  signal: AbortSignal
  /** The bundle of the pipeline's code, read once. */
  code: () => Promise<Uint8Array>
  /** What every command of the run finds in its environment. */
  environment: () => Promise<Record<string, string>>
  /** Clearing up that nobody needs to wait for before the end of the run. */
  chores: Promise<unknown>[]
}

/** Where a step is; kept equal to its row. */
export interface StepProgress {
  state: StepState
  attempt: number
  lost: number
  outputs: Record<string, Artifact>
  result: unknown
}

/** How an attempt ended. */
export interface AttemptEnd {
  state: 'done' | 'failed' | 'cancelled'
  reason: string
  /** Whether trying again could help. */
  retryable: boolean
  lost: boolean
  exitCode: number | null
  outputs: Record<string, Artifact>
  result: unknown
  logDigest: string | null
  lastLines: string[]
  usage: { cpuMs: number; maxRssMb: number } | null
}

/** An end in the words of the caller; the rest is nothing. */
export function attemptEnd(end: Pick<AttemptEnd, 'state' | 'reason'> & Partial<AttemptEnd>): AttemptEnd {
  return {
    retryable: true,
    lost: false,
    exitCode: null,
    outputs: {},
    result: null,
    logDigest: null,
    lastLines: [],
    usage: null,
    ...end,
  }
}

/**
 * Enters what happened, as Pave: nobody may write the record of a run by hand. `key` makes it happen once, however often
 * it is asked for.
 */
export function record<Op extends Operation>(
  { ctx, run }: Pick<Drive, 'ctx' | 'run'>,
  key: string,
  operation: Op,
  input: z.input<Op['input']>,
): Promise<AnswerOf<Op>> {
  const actor = { ...systemActor(ctx.workspace), onBehalfOf: run.actor.id }
  return patiently(() => ctx.platform.run(operation, { actor, input, idempotencyKey: `run:${run.id}:${key}` }))
}

const mostQuestions = 60
const pauseMs = 500

/** Waits for a PostgreSQL that restarts. What is asked may have happened already, so it must be safe to ask twice. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let question = 1; ; question++) {
    try {
      return await ask()
    } catch (error) {
      const known = error instanceof PaveError ? error : translateDatabaseError(error)
      if (known?.code !== 'database_unavailable' || question === mostQuestions) throw error
      await delay(pauseMs)
    }
  }
}

/**
 * Whether what runs must be ended when this aborts it: on cancel, time-out and another step's failure. When Pave stops or
 * loses its database, it goes on and is adopted.
 */
export function endsWork(reason: unknown): reason is PaveError {
  return reason instanceof PaveError && !passing.has(reason.code)
}

/** Troubles of Pave itself, which are not the step's: whoever carries the run on takes it up where it is. */
const passing = new Set(['shutting_down', 'database_unavailable', 'compute_closed', 'step_moved_on'])
