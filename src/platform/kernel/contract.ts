import { z } from 'zod'
import { ContentRef, Digest, Instant, listInput, pageOf } from '../names.ts'
import { operation } from '../operation.ts'

export const JobState = z.enum(['queued', 'running', 'done', 'failed', 'cancelled'])

export const Job = z.object({
  id: z.uuid(),
  job: z.string(),
  state: JobState,
  attempt: z.int(),
  progress: z.number(),
  progressText: z.string(),
  input: z.unknown(),
  result: z.unknown(),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
  createdAt: Instant,
  startedAt: Instant.nullable(),
  endedAt: Instant.nullable(),
})
export type Job = z.infer<typeof Job>

export const getJob = operation({
  name: 'get-job',
  method: 'GET',
  path: '/api/v1/jobs/:job',
  summary: 'Follow a job: state, progress, result or error',
  effect: 'read',
  permission: { verb: 'job:read', on: [] },
  errors: ['job_not_found'],
  input: z.object({ job: z.uuid(), wait: z.int().min(0).max(30).default(0).describe('Seconds to wait for its end') }),
  output: Job,
})

export const listJobs = operation({
  name: 'list-jobs',
  method: 'GET',
  path: '/api/v1/jobs',
  summary: 'List jobs, newest first; state=failed shows the dead letters',
  effect: 'read',
  permission: { verb: 'job:read', on: [] },
  errors: [],
  input: z.object({ ...listInput, state: JobState.optional(), job: z.string().max(100).optional() }),
  output: pageOf(Job),
})

export const cancelJob = operation({
  name: 'cancel-job',
  method: 'POST',
  path: '/api/v1/jobs/:job/cancel',
  summary: 'Ask a job to stop',
  effect: 'write',
  permission: { verb: 'job:cancel', on: [] },
  errors: ['job_not_found'],
  input: z.object({ job: z.uuid() }),
  output: z.object({ job: z.uuid() }),
})

export const retryJob = operation({
  name: 'retry-job',
  method: 'POST',
  path: '/api/v1/jobs/:job/retry',
  summary: 'Put a failed or cancelled job back into its queue',
  effect: 'write',
  permission: { verb: 'job:retry', on: [] },
  errors: ['job_not_found'],
  input: z.object({ job: z.uuid() }),
  output: z.object({ job: z.uuid() }),
})

/** `version:flight-delays@3`, `object:sha256:…` */
const Subject = z
  .string()
  .max(400)
  .regex(/^[a-z-]+:.+$/, 'write kind:id, such as version:flight-delays@3')

export const LedgerEntry = z.object({
  /** Dense position in the sealed ledger; null until it is sealed, a moment after the operation. */
  leaf: z.int().nullable(),
  id: z.uuid(),
  at: Instant,
  actor: z.object({ kind: z.string(), id: z.uuid() }),
  operation: z.string(),
  outcome: z.enum(['done', 'pending', 'refused', 'failed']),
  errorCode: z.string().optional(),
  subjects: z.array(z.object({ kind: z.string(), id: z.string() })),
  lineage: z
    .object({
      inputs: z.array(z.object({ kind: z.string(), id: z.string() })),
      outputs: z.array(z.object({ kind: z.string(), id: z.string() })),
    })
    .optional(),
  facts: z.record(z.string(), z.unknown()).optional(),
})
export type LedgerEntry = z.infer<typeof LedgerEntry>

export const listEntries = operation({
  name: 'list-entries',
  method: 'GET',
  path: '/api/v1/ledger/entries',
  summary: 'Read the ledger, newest first: by operation, by subject (`kind:id`), by outcome',
  effect: 'read',
  permission: { verb: 'ledger:read', on: [] },
  errors: [],
  input: z.object({
    ...listInput,
    operation: z.string().max(100).optional(),
    operations: z
      .string()
      .max(2000)
      .regex(/^[a-z]+(-[a-z]+)*(,[a-z]+(-[a-z]+)*)*$/, 'write operations with commas between them')
      .optional()
      .describe('Several, with commas between them'),
    subject: Subject.optional(),
    outcome: z.enum(['done', 'pending', 'refused', 'failed']).optional(),
    actor: z.uuid().optional(),
    from: Instant.optional().describe('Entries of this time and later'),
    until: Instant.optional().describe('Entries before this time'),
  }),
  output: pageOf(LedgerEntry),
})

export const getEntry = operation({
  name: 'get-entry',
  method: 'GET',
  path: '/api/v1/ledger/entries/:entry',
  summary: 'Read one entry of the ledger with everything in it',
  effect: 'read',
  permission: { verb: 'ledger:read', on: [] },
  errors: ['entry_not_found'],
  input: z.object({ entry: z.uuid() }),
  output: LedgerEntry.extend({
    onBehalfOf: z.uuid().optional(),
    inputDigest: Digest,
    before: Digest.optional(),
    after: Digest.optional(),
    traceId: z.string().optional(),
  }),
})

export const EntryProof = z.object({
  leaf: z.int(),
  size: z.int().describe('Leaves of the ledger that the checkpoint signs'),
  body: z.string().describe('The entry as it was hashed: canonical JSON'),
  path: z.array(z.string()).describe('RFC 6962 audit path from the leaf upwards, hashes in base64'),
  checkpoint: z.string().describe('Signed note of origin, size and root (C2SP tlog-checkpoint)'),
  key: z.string().describe('Key of the signature, as in keys/ledger.pub; compare it with a copy of your own'),
  consistency: z
    .object({ from: z.int(), path: z.array(z.string()) })
    .nullable()
    .describe('That this ledger continues the one of `since` leaves; null when it was not asked for or has none'),
})
export type EntryProof = z.infer<typeof EntryProof>

export const proveEntry = operation({
  name: 'prove-entry',
  method: 'GET',
  path: '/api/v1/ledger/entries/:entry/proof',
  summary: 'Prove that an entry is in the sealed ledger, up to a signed checkpoint; to be verified without Pave',
  effect: 'read',
  permission: { verb: 'ledger:read', on: [] },
  errors: ['entry_not_found', 'entry_not_sealed'],
  input: z.object({
    entry: z.uuid(),
    since: z
      .int()
      .min(0)
      .optional()
      .describe('Leaves of a checkpoint seen before, to prove that nothing of it changed'),
  }),
  output: EntryProof,
})

const SearchResult = z.object({
  kind: z.string(),
  id: z.string(),
  title: z.string(),
  detail: z.string(),
})
export type SearchResult = z.infer<typeof SearchResult>

export const search = operation({
  name: 'search',
  method: 'GET',
  path: '/api/v1/search',
  summary: 'Find anything that the caller may read by a piece of its name, its id or a digest; the best first',
  effect: 'read',
  permission: 'authenticated',
  errors: [],
  input: z.object({
    text: z.string().trim().min(1).max(200),
    limit: z.int().min(1).max(50).default(20),
  }),
  output: z.object({ items: z.array(SearchResult) }),
})

export const verifyLedger = operation({
  name: 'verify-ledger',
  method: 'POST',
  path: '/api/v1/ledger/verify',
  summary: 'Recompute every hash of the ledger and check it against each exported, signed checkpoint',
  effect: 'read',
  permission: { verb: 'ledger:verify', on: [] },
  errors: [],
  input: z.object({}),
  output: z.object({
    entries: z.int(),
    verified: z.boolean(),
    checkpoints: z.int(),
    problems: z.array(z.string()),
    statements: z.array(z.string()).describe('Restores, and what they are known to have lost'),
  }),
})

export const exportLedger = operation({
  name: 'export-ledger',
  method: 'POST',
  path: '/api/v1/ledger/export',
  summary:
    'Write the sealed ledger with a signed checkpoint to a file on the server, to be verified without a database',
  effect: 'read',
  permission: { verb: 'ledger:export', on: [] },
  errors: [],
  input: z.object({}),
  output: z.object({ entries: z.int(), path: z.string() }),
})

export const traceLineage = operation({
  name: 'trace-lineage',
  method: 'GET',
  path: '/api/v1/lineage',
  summary: 'Follow lineage edges from one object (`kind:id`), upstream or downstream',
  effect: 'read',
  permission: { verb: 'ledger:read', on: [] },
  errors: [],
  input: z.object({
    object: Subject,
    direction: z.enum(['upstream', 'downstream']).default('upstream'),
    depth: z.int().min(1).max(20).default(10),
  }),
  output: z.object({
    edges: z.array(
      z.object({
        from: z.object({ kind: z.string(), id: z.string() }),
        to: z.object({ kind: z.string(), id: z.string() }),
        operation: z.string(),
        entry: z.uuid(),
      }),
    ),
  }),
})

export const recordObject = operation({
  name: 'record-object',
  method: 'POST',
  path: '/api/v1/object-records',
  summary: 'Enter uploaded bytes in the workspace; uploads do this by themselves',
  effect: 'write',
  permission: { verb: 'object:record', on: [] },
  errors: [],
  input: ContentRef,
  output: z.object({ digest: Digest, size: z.int() }),
})

export const freeObjects = operation({
  name: 'free-objects',
  method: 'POST',
  path: '/api/v1/free-objects',
  summary:
    'Look for what was purged and nothing refers to any more, and free its bytes a day after nothing did; every night Pave does this by itself. In an S3 store nothing is freed',
  effect: 'write',
  permission: { verb: 'trash:purge', on: [] },
  errors: [],
  input: z.object({}),
  output: z.object({ job: z.uuid() }),
  job: true,
})

const Digests = z.array(Digest).max(100)

export const withdrawObjects = operation({
  name: 'withdraw-objects',
  method: 'POST',
  path: '/api/v1/object-withdrawals',
  summary: 'Let nobody refer anew to released objects that are about to be removed; freeing does this by itself',
  effect: 'write',
  permission: { verb: 'object:remove', on: [] },
  errors: [],
  input: z.object({ digests: Digests }),
  output: z.object({ withdrawn: z.int() }),
})

export const removeObjects = operation({
  name: 'remove-objects',
  method: 'POST',
  path: '/api/v1/object-removals',
  summary:
    'Record which released objects are in use, and remove those that were not for a day; freeing does this by itself',
  effect: 'write',
  permission: { verb: 'object:remove', on: [] },
  lineage: { inputs: ['object'] },
  errors: [],
  input: z.object({ digests: Digests, used: Digests.describe('Those of them that something refers to') }),
  output: z.object({
    objects: z.int().describe('Removed'),
    bytes: z.int(),
    used: z.int(),
    waiting: z.int().describe('Unused, and not for long enough'),
  }),
})

export const PendingOperation = z.object({
  id: z.uuid(),
  operation: z.string(),
  input: z.unknown(),
  point: z.string(),
  evidence: z.record(z.string(), z.unknown()),
  evidenceDigest: Digest,
  quorum: z.int(),
  excluded: z.array(z.string()),
  requestedBy: z.uuid(),
  requestedAt: Instant,
  expiresAt: Instant,
  state: z.enum(['pending', 'done', 'rejected', 'failed', 'lapsed', 'cancelled']),
  outcome: z.unknown(),
  approvals: z.array(
    z.object({ approver: z.uuid(), decision: z.enum(['approve', 'reject']), comment: z.string(), at: Instant }),
  ),
  you: z
    .object({ mayDecide: z.boolean(), why: z.string() })
    .describe('Whether the caller may decide on it now, and if not, why'),
})
export type PendingOperation = z.infer<typeof PendingOperation>

export const listPendingOperations = operation({
  name: 'list-pending-operations',
  method: 'GET',
  path: '/api/v1/pending-operations',
  summary: 'List operations that wait for approval, with the evidence that an approval binds to',
  effect: 'read',
  permission: { verb: 'approval:read', on: [] },
  errors: [],
  input: z.object({
    ...listInput,
    state: z.enum(['pending', 'done', 'rejected', 'failed', 'lapsed', 'cancelled', 'all']).default('pending'),
    newestFirst: z.boolean().default(false).describe('Else oldest first'),
  }),
  output: pageOf(PendingOperation),
})

export const getPendingOperation = operation({
  name: 'get-pending-operation',
  method: 'GET',
  path: '/api/v1/pending-operations/:pending',
  summary: 'Read an operation that waits for approval, or did: its input, its evidence, who decided',
  effect: 'read',
  permission: { verb: 'approval:read', on: [] },
  errors: ['pending_operation_not_found'],
  input: z.object({ pending: z.uuid() }),
  output: PendingOperation,
})

const Decided = z.object({ pending: z.uuid(), state: PendingOperation.shape.state, job: z.uuid().nullable() })

export const approve = operation({
  name: 'approve',
  method: 'POST',
  path: '/api/v1/pending-operations/:pending/approve',
  summary: 'Approve a waiting operation; at quorum it runs as whoever asked for it',
  effect: 'write',
  permission: { verb: 'approval:decide', on: [] },
  errors: ['pending_operation_not_found', 'pending_operation_closed'],
  input: z.object({ pending: z.uuid(), comment: z.string().max(2000).default('') }),
  output: Decided,
})

export const reject = operation({
  name: 'reject',
  method: 'POST',
  path: '/api/v1/pending-operations/:pending/reject',
  summary: 'Reject a waiting operation',
  effect: 'write',
  permission: { verb: 'approval:decide', on: [] },
  errors: ['pending_operation_not_found', 'pending_operation_closed'],
  input: z.object({ pending: z.uuid(), comment: z.string().max(2000).default('') }),
  output: Decided,
})

export const closePendingOperation = operation({
  name: 'close-pending-operation',
  method: 'POST',
  path: '/api/v1/pending-operations/:pending/close',
  summary: 'Record how an approved operation ended; Pave does this by itself',
  effect: 'write',
  permission: { verb: 'approval:close', on: [] },
  errors: [],
  input: z.object({
    pending: z.uuid(),
    state: z.enum(['done', 'failed', 'lapsed']),
    outcome: z.record(z.string(), z.unknown()),
  }),
  output: z.object({ pending: z.uuid() }),
})
