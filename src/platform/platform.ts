import type { FastifyInstance } from 'fastify'
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Pool } from 'pg'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { Actor, Grant } from './actor.ts'
import type { Clock } from './clock.ts'
import type { ErrorDefinition } from './errors.ts'
import type { Ids } from './ids.ts'
import type { Entry } from './ledger/entry.ts'
import type { AnswerOf, InputOf, Operation, OutputOf } from './operation.ts'
import type { SearchSource } from './search-source.ts'
import type { Services } from './services.ts'
import type { Db } from './storage/database/database.ts'
import type { AtCommit } from './storage/database/transaction.ts'
import type { Telemetry } from './telemetry.ts'

// The kernel's vocabulary in one file, because its nouns speak of each other: a platform has modules, modules have
// handlers, jobs and subscribers, and all of these are handed the platform.

/** What a handler adds to its own ledger entry. Never personal data: references only. */
export interface EntryRecorder {
  /** The object that changed. */
  subject(kind: string, id: string): void
  /** Lineage: what the change was made from. */
  input(kind: string, id: string): void
  /** Lineage: what the change made. */
  output(kind: string, id: string): void
  /** Versioned facts that readings of the ledger need: weights, verdicts, reasons. */
  facts(facts: Record<string, unknown>): void
  before(state: unknown): void
  after(state: unknown): void
}

/** What a handler gets: its transaction, its caller, its ledger entry, and the parts it may use. */
export interface OperationContext {
  db: Db
  workspace: string
  actor: Actor
  clock: Clock
  ids: Ids
  log: Logger
  services: Services
  entry: EntryRecorder
  traceId: string | undefined
  /** Id of this operation's ledger entry. */
  operationId: string
  /** Runs another operation inside this transaction as the same actor; it leaves its own entry. */
  call<Op extends Operation>(operation: Op, input: z.input<Op['input']>): Promise<OutputOf<Op>>
  /** The same as Pave itself: for consequences that the caller need not be allowed to cause by hand. */
  callAsSystem<Op extends Operation>(operation: Op, input: z.input<Op['input']>): Promise<OutputOf<Op>>
  /** Starts a job when this transaction commits, or so long after; answers its id. */
  startJob(job: string, input: unknown, options?: { afterMs?: number }): Promise<string>
  cancelJob(id: string): Promise<void>
  retryJob(id: string): Promise<void>
  /** Refuses with 412 when the caller sent an `If-Match` that is not the digest of `current`. */
  requireMatch(current: unknown): void
  /** Runs after the commit, and never when there was none. */
  afterCommit(action: () => void): void
}

/** One operation and the function that carries it out. */
export interface Handler<Op extends Operation = Operation> {
  operation: Op
  run(ctx: OperationContext, input: InputOf<Op>): Promise<OutputOf<Op>>
  /** Runs first, outside the transaction: waits for what `run` then reads, so that waiting holds no connection. */
  wait?(platform: Platform, actor: Actor, input: InputOf<Op>): Promise<void>
}

export interface OperationCall {
  actor: Actor
  /** Not yet parsed. */
  input: unknown
  idempotencyKey?: string | undefined
  ifMatch?: string | undefined
  traceId?: string | undefined
  /** Set when an approved operation runs: its admission point was satisfied by these approvals. */
  approved?: { pending: string; evidenceDigest: string }
}

export interface OperationAnswer<Op extends Operation> {
  status: 200 | 202
  output: AnswerOf<Op>
  /** True when the answer is the one that an earlier request with the same idempotency key got. */
  replayed: boolean
}

/** Answer of an operation that waits for approvals instead of having run. */
export interface PendingAnswer {
  pending: { id: string; state: 'pending'; operation: string; quorum: number; evidenceDigest: string }
}

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
  /** A function is asked again and again, for what is configured: it may name other operations each time. */
  operations: readonly string[] | ((platform: Platform) => Promise<readonly string[]>)
  handle(ctx: SubscriberContext, entry: Entry): Promise<void>
}

export interface SubscriberContext {
  platform: Platform
  /** Runs an operation as Pave in the entry's workspace, once for each entry and `step` however often it is retried. */
  run<Op extends Operation>(step: string, operation: Op, input: z.input<Op['input']>): Promise<AnswerOf<Op>>
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
  /** What the global search finds of this module. */
  search?: readonly SearchSource[]
  /** Digests of the objects that name other objects, in all workspaces: what they name is in use. */
  objectLists?: (system: Kysely<unknown>) => Promise<readonly string[]>
  /** Uploads, streams and foreign protocols that no declaration fits. */
  routes?: (app: FastifyInstance, platform: Platform) => void
  /** Background work; answers how to stop it. */
  start?: (platform: Platform) => Promise<() => Promise<void>>
  /** Turns a bearer token into an actor; one module does. */
  authenticate?: (platform: Platform, token: string) => Promise<Actor | undefined>
  /** What an actor may do now; the same module does. */
  currentGrants?: (platform: Platform, actor: Actor) => Promise<readonly Grant[]>
}

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
  run<Op extends Operation>(step: string, operation: Op, input: z.input<Op['input']>): Promise<AnswerOf<Op>>
  read<T>(question: (db: Db) => Promise<T>): Promise<T>
  progress(fraction: number, text: string): Promise<void>
}

export interface Jobs {
  /** Enqueues in the caller's transaction; the worker is woken after the commit, or looks by itself after `afterMs`. */
  start(
    db: Db,
    job: { job: string; input: unknown; actor: Actor; afterMs?: number | undefined },
    after: Array<() => void>,
  ): Promise<string>
  /** Asks a running job to stop; a queued one never starts. */
  cancel(db: Db, id: string, after: Array<() => void>): Promise<void>
  /** Puts a failed job back in its queue. */
  retry(db: Db, id: string, after: Array<() => void>): Promise<void>
  stop(): Promise<void>
}

/** News for whoever follows this workspace by server-sent events. */
export interface Event {
  workspace: string
  type: 'entry' | 'job' | 'plan'
  data: Record<string, unknown>
}

export interface Events {
  emit(event: Event): void
  follow(workspace: string, listener: (event: Event) => void): () => void
}

export interface Platform {
  modules: readonly ModuleDefinition[]
  operations: ReadonlyMap<string, Operation>
  clock: Clock
  ids: Ids
  log: Logger
  services: Services
  telemetry: Telemetry
  jobs: Jobs
  events: Events
  refusals: { allow(actor: string): boolean }
  handler(operation: string): Handler
  voices(point: string): readonly AdmissionVoice[]
  authenticate(token: string): Promise<Actor | undefined>
  /** The actor with what it may do now: between a request and its approval a role may have been taken back. */
  refreshed(actor: Actor): Promise<Actor>
  /** Runs an operation; throws PaveError. Waiting for approval is an error here: use runOperation to tell it apart. */
  run<Op extends Operation>(
    operation: Op,
    call: Omit<OperationCall, 'input'> & { input: z.input<Op['input']> },
  ): Promise<AnswerOf<Op>>
  /** One transaction of one workspace with its own operation id; the kernel's own use and run-operation's. */
  transaction<T>(
    workspace: string,
    work: (db: Db, operationId: string, atCommit: AtCommit) => Promise<T>,
    options?: { readOnly?: boolean },
  ): Promise<T>
  /** A question in a read-only transaction of one workspace. */
  read<T>(workspace: string, question: (db: Db) => Promise<T>): Promise<T>
  /** Across workspaces, for sweeps and sealing: bypasses row-level security, may not write tenants' tables. */
  system: Kysely<unknown>
  systemPool: Pool
  wakeSealer(): void
  onEntries(wake: () => void): void
  close(): Promise<void>
}
