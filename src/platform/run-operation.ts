import { sql } from 'kysely'
import type { z } from 'zod'
import { type Actor, allows, nobody, objectOf, systemActor } from './actor.ts'
import { canonicalJson } from './canonical-json.ts'
import { PaveError, platformFailure } from './errors.ts'
import { digestOf } from './ids.ts'
import { appendEntry, entryStatement } from './ledger/append-entry.ts'
import type { Entry, Subject } from './ledger/entry.ts'
import type { InputOf, Operation, OutputOf } from './operation.ts'
import { digestOfEvidence, storePendingOperation } from './pending-operation.ts'
import type {
  Admission,
  AdmissionReason,
  EntryRecorder,
  OperationAnswer,
  OperationCall,
  OperationContext,
  Platform,
} from './platform.ts'
import type { Db } from './storage/database/database.ts'
import type { AtCommit } from './storage/database/transaction.ts'
import { isLockTimeout, translateDatabaseError } from './storage/database/translate-error.ts'

/**
 * The only way in: parse, authorize, admit, then one transaction that runs the handler and appends the ledger entry
 * last, so that an aborted transaction can never look committed.
 */
export async function runOperation<Op extends Operation>(
  platform: Platform,
  operation: Op,
  call: OperationCall,
): Promise<OperationAnswer<Op>> {
  const started = platform.clock.now()
  try {
    const answer = await platform.telemetry.span(`operation ${operation.name}`, () => run(platform, operation, call))
    platform.telemetry.operationFinished(operation.name, 'done', platform.clock.now() - started)
    return answer
  } catch (error) {
    const known = asPaveError(platform, error)
    platform.telemetry.operationFinished(operation.name, known.code, platform.clock.now() - started)
    if (operation.effect === 'write') await recordRefusal(platform, operation, call, known)
    throw known
  }
}

async function run<Op extends Operation>(
  platform: Platform,
  operation: Op,
  call: OperationCall,
): Promise<OperationAnswer<Op>> {
  const input = parseInput(operation, call.input)
  authorize(operation, call.actor, input)
  await platform.handler(operation.name).wait?.(platform, call.actor, input)
  const after: Scope['after'] = []
  const answer = await platform.transaction(
    call.actor.workspace,
    async (db, operationId, atCommit) => {
      const scope: Scope = { after, atCommit, failedInside: undefined }
      const inputDigest = inputDigestOf(operation, call.input)
      const earlier = await claimIdempotencyKey(platform, db, operation, call, inputDigest)
      if (earlier !== undefined) return { ...earlier, replayed: true }
      const result = await runInTransaction(
        platform,
        operation,
        input,
        { ...call, inputDigest, operationId },
        db,
        scope,
      )
      await keepAnswer(db, operation, call, result)
      return { ...result, replayed: false }
    },
    { readOnly: operation.effect === 'read' && operation.recorded !== true },
  )
  for (const action of after) {
    try {
      action()
    } catch (error) {
      // The operation is done and must be answered as done.
      platform.log.error({ err: error, operation: operation.name }, 'what should follow a commit broke')
    }
  }
  if (operation.effect !== 'read' || operation.recorded) platform.wakeSealer()
  return answer as OperationAnswer<Op>
}

/** One parse decides; every problem is told at once. */
function parseInput<Op extends Operation>(operation: Op, input: unknown): InputOf<Op> {
  const parsed = operation.input.safeParse(input ?? {})
  if (parsed.success) return parsed.data as InputOf<Op>
  throw invalidInput(operation.name, parsed.error)
}

/** Every problem that zod found, each at its JSON pointer. */
export function invalidInput(what: string, error: z.ZodError): PaveError {
  const problems = error.issues.slice(0, mostProblems).map((issue) => ({
    pointer: issue.path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
    message: issue.message,
  }))
  const first = problems[0]
  const others = error.issues.length - 1
  return platformFailure(
    'invalid_input',
    `${what}: ${first ? `${first.pointer || 'the input'}: ${first.message}` : 'the input is wrong'}${
      others > 0 ? ` (and ${others} more)` : ''
    }`,
    { problems },
  )
}

const mostProblems = 100

function authorize(operation: Operation, actor: Actor, input: unknown): void {
  if (operation.permission === 'public' || operation.permission === 'authenticated') return
  const object = objectOf(operation.permission, input)
  if (allows(actor.grants, operation.permission.verb, object)) return
  const named = Object.entries(object).map(([kind, name]) => `${kind} ${name}`)
  throw platformFailure(
    'permission_denied',
    `${actor.name} lacks ${operation.permission.verb} on ${named.join(', ') || 'this workspace'}`,
  )
}

interface InnerCall extends OperationCall {
  inputDigest: string
  operationId: string
  /** Called by another operation, in its transaction. */
  nested?: boolean
}

interface InnerAnswer {
  status: 200 | 202
  output: unknown
}

/** What an operation shares with those that it calls: they commit together or not at all. */
interface Scope {
  after: Array<() => void>
  /** Takes their entries. */
  atCommit: AtCommit
  /** A nested operation failed: whoever caught its error must not commit half of what it did without its entry. */
  failedInside: { error: unknown } | undefined
}

/** Admission, handler, output check, ledger entry: shared by calls from outside and by nested ones. */
async function runInTransaction(
  platform: Platform,
  operation: Operation,
  input: unknown,
  call: InnerCall,
  db: Db,
  scope: Scope,
): Promise<InnerAnswer> {
  const recorded = newRecording()
  const ctx = makeContext(platform, operation, input, call, db, scope, recorded.recorder)
  if (operation.admission !== undefined) {
    const admission = await admit(platform, operation, ctx, input)
    if (admission.verdict === 'pending' && call.approved !== undefined) {
      if (digestOfEvidence(admission) !== call.approved.evidenceDigest) {
        throw platformFailure('approval_lapsed', `What was approved for ${operation.name} has changed since`)
      }
    } else if (admission.verdict === 'pending') {
      if (call.nested) {
        throw platformFailure('approval_required', `${operation.name} waits for ${admission.quorum} approval(s)`, {
          hint: 'Run it by itself, and have it approved.',
        })
      }
      const pending = await storePendingOperation(ctx, operation, call.input, admission)
      recorded.recorder.subject('pending-operation', pending.pending.id)
      recorded.recorder.facts({ evidenceDigest: pending.pending.evidenceDigest, quorum: pending.pending.quorum })
      append(platform, operation, call, scope, recorded, 'pending')
      return { status: 202, output: pending }
    }
    if (admission.verdict === 'allow' && admission.facts) recorded.recorder.facts({ admission: admission.facts })
  }
  if (call.approved) recorded.recorder.subject('pending-operation', call.approved.pending)
  const handler = platform.handler(operation.name)
  const raw = await handler.run(ctx, input)
  if (scope.failedInside !== undefined) throw scope.failedInside.error
  const output = operation.output.safeParse(raw)
  if (!output.success) {
    throw platformFailure('internal', `${operation.name} made an answer that it does not declare`, {
      cause: output.error,
    })
  }
  if (operation.effect !== 'read' || operation.recorded) append(platform, operation, call, scope, recorded, 'done')
  return { status: operation.job ? 202 : 200, output: output.data }
}

async function admit(
  platform: Platform,
  operation: Operation,
  ctx: OperationContext,
  input: unknown,
): Promise<Admission> {
  const reasons: AdmissionReason[] = []
  const facts: Record<string, unknown> = {}
  let pending: Extract<Admission, { verdict: 'pending' }> | undefined
  for (const voice of platform.voices(operation.admission ?? '')) {
    const admission = await voice(ctx, operation, input)
    if (admission.verdict === 'deny') reasons.push(...admission.reasons)
    if (admission.verdict === 'pending') pending = pending ? stricter(pending, admission) : admission
    if (admission.verdict !== 'pending') Object.assign(facts, admission.facts)
  }
  if (reasons.length > 0) {
    throw platformFailure(
      'admission_denied',
      `${operation.name} was refused: ${reasons.map((reason) => `${reason.rule}: ${reason.message}`).join('; ')}`,
      {
        hint: 'Mend what the rules name, or ask their owner for an exception.',
        details: { reasons, facts },
      },
    )
  }
  return pending ?? { verdict: 'allow', facts }
}

function stricter(
  a: Extract<Admission, { verdict: 'pending' }>,
  b: Extract<Admission, { verdict: 'pending' }>,
): Extract<Admission, { verdict: 'pending' }> {
  return {
    verdict: 'pending',
    evidence: { ...a.evidence, ...b.evidence },
    quorum: Math.max(a.quorum, b.quorum),
    excluded: [...new Set([...a.excluded, ...b.excluded])],
    expiresInMs: Math.min(a.expiresInMs, b.expiresInMs),
  }
}

interface Recording {
  recorder: EntryRecorder
  subjects: Subject[]
  inputs: Subject[]
  outputs: Subject[]
  facts: Record<string, unknown>
  before?: string
  after?: string
}

function newRecording(): Recording {
  const recording: Recording = {
    subjects: [],
    inputs: [],
    outputs: [],
    facts: {},
    recorder: {
      subject: (kind, id) => void recording.subjects.push({ kind, id }),
      input: (kind, id) => void recording.inputs.push({ kind, id }),
      output: (kind, id) => void recording.outputs.push({ kind, id }),
      facts: (facts) => void Object.assign(recording.facts, facts),
      before: (state) => {
        recording.before = digestOf(canonicalJson(state))
      },
      after: (state) => {
        recording.after = digestOf(canonicalJson(state))
      },
    },
  }
  return recording
}

function append(
  platform: Platform,
  operation: Operation,
  call: InnerCall,
  { atCommit }: Scope,
  recorded: Recording,
  outcome: Entry['outcome'],
): void {
  const entry: Entry = {
    version: 1,
    id: call.operationId,
    at: platform.clock.iso(),
    workspace: call.actor.workspace,
    actor: { kind: call.actor.kind, id: call.actor.id },
    operation: operation.name,
    outcome,
    subjects: recorded.subjects,
    inputDigest: call.inputDigest,
  }
  if (call.actor.onBehalfOf !== undefined) entry.onBehalfOf = call.actor.onBehalfOf
  if (recorded.inputs.length + recorded.outputs.length > 0) {
    entry.lineage = { inputs: recorded.inputs, outputs: recorded.outputs }
  }
  if (recorded.before !== undefined) entry.before = recorded.before
  if (recorded.after !== undefined) entry.after = recorded.after
  if (call.traceId !== undefined) entry.traceId = call.traceId
  if (Object.keys(recorded.facts).length > 0) entry.facts = recorded.facts
  atCommit(entryStatement(entry))
}

function makeContext(
  platform: Platform,
  operation: Operation,
  input: unknown,
  call: InnerCall,
  db: Db,
  scope: Scope,
  entry: EntryRecorder,
): OperationContext {
  const { after } = scope
  const nested = async <Op extends Operation>(inside: Op, given: z.input<Op['input']>, actor: Actor) => {
    try {
      const parsed = parseInput(inside, given)
      authorize(inside, actor, parsed)
      const inner: InnerCall = {
        actor,
        input: given,
        traceId: call.traceId,
        inputDigest: inputDigestOf(inside, given),
        operationId: platform.ids.next(),
        nested: true,
      }
      const answer = await runInTransaction(platform, inside, parsed, inner, db, scope)
      return answer.output as OutputOf<Op>
    } catch (error) {
      scope.failedInside ??= { error }
      throw error
    }
  }
  return {
    db,
    workspace: call.actor.workspace,
    actor: call.actor,
    clock: platform.clock,
    ids: platform.ids,
    log: platform.log,
    services: platform.services,
    entry,
    traceId: call.traceId,
    operationId: call.operationId,
    call: (operation, input) => nested(operation, input, call.actor),
    callAsSystem: (operation, input) =>
      nested(operation, input, { ...systemActor(call.actor.workspace), onBehalfOf: call.actor.id }),
    startJob: (job, input, { afterMs } = {}) =>
      platform.jobs.start(db, { job, input, actor: call.actor, afterMs }, after),
    cancelJob: (id) => platform.jobs.cancel(db, id, after),
    retryJob: (id) => platform.jobs.retry(db, id, after),
    requireMatch: (current) => {
      if (call.ifMatch === undefined) return
      const wanted = call.ifMatch.split(/\s*,\s*/)
      const tags = current === undefined ? [] : ['*', etagOf(current), etagOf(withDefaults(operation, input, current))]
      if (!tags.some((tag) => wanted.includes(tag))) {
        throw platformFailure('precondition_failed', 'If-Match names a state that is no longer the current one')
      }
    },
    afterCommit: (action) => void after.push(action),
  }
}

/** A resource as readers see it: what was declared after it was stored has its default. */
function withDefaults(operation: Operation, input: unknown, current: unknown): unknown {
  if (operation.manifest === undefined) return current
  const parsed = operation.input.safeParse(Object.assign({}, input, { spec: current }))
  return parsed.success ? new Map(Object.entries(Object(parsed.data))).get('spec') : current
}

/** The strong ETag of a resource: the digest of its canonical JSON. */
export function etagOf(state: unknown): string {
  return `"${digestOf(canonicalJson(jsonOf(state))).slice('sha256:'.length, 'sha256:'.length + 32)}"`
}

/** A concurrent request with the same key waits here on the unique index until the first one has ended. */
async function claimIdempotencyKey(
  platform: Platform,
  db: Db,
  operation: Operation,
  call: OperationCall,
  inputDigest: string,
): Promise<InnerAnswer | undefined> {
  if (call.idempotencyKey === undefined || operation.effect === 'read') return undefined
  const claimed = await sql`
    insert into platform.idempotent_answer (workspace, actor, key, operation, input_digest, created_at)
    values (${call.actor.workspace}, ${call.actor.id}, ${call.idempotencyKey}, ${operation.name}, ${inputDigest},
            ${platform.clock.iso()})
    on conflict do nothing returning key
  `
    .execute(db)
    .catch((error: unknown) => {
      if (isLockTimeout(error)) {
        throw platformFailure(
          'idempotent_request_in_progress',
          `The first request with Idempotency-Key ${call.idempotencyKey} is still at work`,
        )
      }
      throw error
    })
  if (claimed.rows.length > 0) return undefined
  const { rows } = await sql<{ operation: string; input_digest: string; status: 200 | 202; answer: unknown }>`
    select operation, input_digest, status, answer from platform.idempotent_answer
    where actor = ${call.actor.id} and key = ${call.idempotencyKey}
  `.execute(db)
  const first = rows[0]
  if (first === undefined) throw platformFailure('conflict', 'The first request with this idempotency key was undone')
  if (first.operation !== operation.name || first.input_digest !== inputDigest) {
    throw platformFailure(
      'idempotency_key_reused',
      `Idempotency-Key ${call.idempotencyKey} was first used for ${first.operation} with another input`,
    )
  }
  return { status: first.status, output: first.answer }
}

async function keepAnswer(db: Db, operation: Operation, call: OperationCall, answer: InnerAnswer): Promise<void> {
  if (call.idempotencyKey === undefined || operation.effect === 'read') return
  const kept = withoutSecrets(operation, answer.output)
  await sql`
    update platform.idempotent_answer set status = ${answer.status}, answer = ${JSON.stringify(kept)}::jsonb
    where actor = ${call.actor.id} and key = ${call.idempotencyKey}
  `.execute(db)
}

/** An answer as it may be kept: secrets are shown once. */
export function withoutSecrets(operation: Operation, output: unknown): unknown {
  if (operation.secrets === undefined || typeof output !== 'object' || output === null) return output
  const secrets = new Set(operation.secrets)
  return Object.fromEntries(Object.entries(output).filter(([name]) => !secrets.has(name)))
}

/** What the caller was refused is entered too, in a transaction of its own, within a rate limit for each actor. */
async function recordRefusal(
  platform: Platform,
  operation: Operation,
  call: OperationCall,
  error: PaveError,
): Promise<void> {
  if (error.code === 'database_unavailable' || call.actor.id === nobody.id) return
  if (!platform.refusals.allow(call.actor.id)) return
  const object =
    operation.permission === 'public' || operation.permission === 'authenticated'
      ? {}
      : named(objectOf(operation.permission, call.input))
  const facts: Record<string, unknown> = {}
  if (Object.keys(object).length > 0) facts.object = object
  if (error.details !== undefined) facts.details = error.details
  try {
    await platform.transaction(call.actor.workspace, async (db, operationId) => {
      const entry: Entry = {
        version: 1,
        id: operationId,
        at: platform.clock.iso(),
        workspace: call.actor.workspace,
        actor: { kind: call.actor.kind, id: call.actor.id },
        operation: operation.name,
        outcome: error.status >= 500 ? 'failed' : 'refused',
        errorCode: error.code,
        subjects: [],
        inputDigest: digestOf(canonicalJson(jsonOf(withoutSecretInputs(operation, call.input)))),
        ...(Object.keys(facts).length > 0 && { facts: jsonOf(facts) as Record<string, unknown> }),
      }
      await appendEntry(db, entry)
    })
    platform.wakeSealer()
  } catch (cause) {
    platform.log.error({ err: cause, operation: operation.name }, 'a refusal could not be entered in the ledger')
  }
}

/** The input was not parsed: a name may be anything, and the ledger keeps none longer than names can be. */
function named(object: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(object).map(([kind, name]) => [kind, name.slice(0, 200)]))
}

function asPaveError(platform: Platform, error: unknown): PaveError {
  if (error instanceof PaveError) return error
  const translated = translateDatabaseError(error)
  if (translated !== undefined) return translated
  platform.log.error({ err: error }, 'an operation broke')
  return platformFailure('internal', 'Something broke inside Pave', { cause: error })
}

/** Bulk data is digested as it came: sorting its keys would cost more than the rest of the operation. */
function inputDigestOf(operation: Operation, input: unknown): string {
  if (operation.effect === 'ingest') return digestOf(JSON.stringify(input ?? null))
  return digestOf(canonicalJson(jsonOf(withoutSecretInputs(operation, input))))
}

function withoutSecretInputs({ secretInputs = [] }: Operation, input: unknown): unknown {
  if (secretInputs.length === 0 || typeof input !== 'object' || input === null) return input
  return Object.fromEntries(Object.entries(input).filter(([name]) => !secretInputs.includes(name)))
}

/** The value as JSON carries it: no undefined, no Date, nothing that canonical JSON refuses. */
function jsonOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null))
}
