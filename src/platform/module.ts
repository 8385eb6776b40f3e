import type { FastifyInstance } from 'fastify'
import type { Migration } from 'kysely/migration'
import type { z } from 'zod'
import type { Actor } from './actor.ts'
import type { Handler, OperationContext } from './context.ts'
import type { ErrorDefinition } from './errors.ts'
import type { JobDefinition } from './job.ts'
import type { Entry } from './ledger/entry.ts'
import type { Operation } from './operation.ts'
import type { Platform } from './platform.ts'

/** The verdict of an admission point. Several voices may be wired to one: any deny denies, any pending makes it wait. */
export type Admission =
  | { verdict: 'allow'; facts?: Record<string, unknown> }
  | { verdict: 'deny'; reasons: AdmissionReason[]; facts?: Record<string, unknown> }
  | {
      verdict: 'pending'
      /** What approvals bind to: when it changes, they lapse. */
      evidence: Record<string, unknown>
      quorum: number
      /** Actors whose approval does not count: the author, the requester. */
      excluded: string[]
      expiresInMs: number
    }

export interface AdmissionReason {
  rule: string
  message: string
  values?: Record<string, unknown>
}

export type AdmissionVoice = (ctx: OperationContext, operation: Operation, input: unknown) => Promise<Admission>

/** Called for sealed entries of the named operations, in ledger order, at least once, replayably. */
export interface Subscriber {
  name: string
  operations: readonly string[]
  handle(ctx: SubscriberContext, entry: Entry): Promise<void>
}

export interface SubscriberContext {
  platform: Platform
  /** Runs an operation as Pave in the entry's workspace, once for each entry and `step` however often it is retried. */
  run<Op extends Operation>(step: string, operation: Op, input: z.input<Op['input']>): Promise<z.input<Op['output']>>
}

/** A module as the kernel sees it; the ordered list of them is `modules/index.ts`. */
export interface ModuleDefinition {
  name: string
  handlers: readonly Handler[]
  errors?: Record<string, ErrorDefinition>
  migrations?: Record<string, Migration>
  jobs?: readonly JobDefinition[]
  subscribers?: readonly Subscriber[]
  admissions?: Record<string, AdmissionVoice>
  /** Uploads, streams and foreign protocols that no declaration fits. */
  routes?: (app: FastifyInstance, platform: Platform) => void
  /** Background work; answers how to stop it. */
  start?: (platform: Platform) => Promise<() => Promise<void>>
  /** Turns a bearer token into an actor; one module does. */
  authenticate?: (platform: Platform, token: string) => Promise<Actor | undefined>
}

export function defineModule(definition: ModuleDefinition): ModuleDefinition {
  return definition
}
