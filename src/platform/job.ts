import type { Logger } from 'pino'
import type { z } from 'zod'
import type { Actor } from './actor.ts'
import type { Clock } from './clock.ts'
import type { Ids } from './ids.ts'
import type { Operation, OutputOf } from './operation.ts'
import type { Platform } from './platform.ts'
import type { Services } from './services.ts'
import type { Db } from './storage/database/database.ts'

/** Long work outside any transaction: it reads, computes, and changes state through operations alone. */
export interface JobDefinition<I extends z.ZodType = z.ZodType> {
  name: string
  input: I
  /** Attempts after the first, with exponential backoff. A job must be safe to repeat. */
  retries: number
  timeoutMs: number
  /** Runs at once in one process. */
  concurrency?: number
  /** Five-field cron expression in UTC; the job then runs once for each workspace with an empty input. */
  cron?: string
  run(ctx: JobContext, input: z.output<I>): Promise<unknown>
}

export interface JobContext {
  platform: Platform
  services: Services
  workspace: string
  /** Whoever started the job, with the grants of that time. */
  actor: Actor
  jobId: string
  attempt: number
  clock: Clock
  ids: Ids
  log: Logger
  /** Aborted on cancel, time-out and shutdown. */
  signal: AbortSignal
  /** Runs an operation as the job's actor; `step` makes it happen once however often the job is retried. */
  run<Op extends Operation>(step: string, operation: Op, input: z.input<Op['input']>): Promise<OutputOf<Op>>
  read<T>(question: (db: Db) => Promise<T>): Promise<T>
  progress(fraction: number, text: string): Promise<void>
}

export function defineJob<I extends z.ZodType>(definition: JobDefinition<I>): JobDefinition<I> {
  return definition
}
