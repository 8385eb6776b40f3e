import type { Logger } from 'pino'
import type { z } from 'zod'
import type { Actor } from './actor.ts'
import type { Clock } from './clock.ts'
import type { Ids } from './ids.ts'
import type { InputOf, Operation, OutputOf } from './operation.ts'
import type { Services } from './services.ts'
import type { Db } from './storage/database/database.ts'

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
  /** Starts a job when this transaction commits; answers its id. */
  startJob(job: string, input: unknown): Promise<string>
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
}

/** Joins a declaration to its handler. */
export function handle<Op extends Operation>(
  operation: Op,
  run: (ctx: OperationContext, input: InputOf<Op>) => Promise<OutputOf<Op>>,
): Handler<Op> {
  return { operation, run }
}
