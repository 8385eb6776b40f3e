/** What an error code means to a caller: its HTTP status and, by default, the way out. */
export interface ErrorDefinition {
  status: number
  summary: string
  hint: string
}

/** Declares a table of error codes. Each module has one; `docs/reference/errors.md` is checked against all of them. */
export function defineErrors<const T extends Record<string, ErrorDefinition>>(table: T): T {
  return table
}

/** One problem inside an input, at a JSON pointer. */
export interface FieldProblem {
  pointer: string
  message: string
}

/** The error that callers see: a stable code, a message naming the thing, and the way out. */
export class PaveError extends Error {
  readonly code: string
  readonly status: number
  readonly hint: string
  readonly problems: FieldProblem[]
  /** Machine-readable particulars: the rules that failed, the holder of a lock. */
  readonly details: Record<string, unknown> | undefined

  constructor(
    code: string,
    message: string,
    options: {
      status: number
      hint: string
      problems?: FieldProblem[]
      details?: Record<string, unknown>
      cause?: unknown
    },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'PaveError'
    this.code = code
    this.status = options.status
    this.hint = options.hint
    this.problems = options.problems ?? []
    this.details = options.details
  }
}

/** Makes the error of one entry of a table; `hint` overrides the table's where the situation allows a better one. */
export function failure<T extends Record<string, ErrorDefinition>>(table: T) {
  return (
    code: keyof T & string,
    message: string,
    options: { hint?: string; problems?: FieldProblem[]; details?: Record<string, unknown>; cause?: unknown } = {},
  ): PaveError => {
    const definition = table[code]
    if (definition === undefined) throw new TypeError(`No error is declared with code ${code}`)
    return new PaveError(code, message, {
      status: definition.status,
      ...options,
      hint: options.hint ?? definition.hint,
    })
  }
}

export const platformErrors = defineErrors({
  invalid_input: {
    status: 422,
    summary: 'The input does not match what the operation declares.',
    hint: 'Mend the fields named in `problems`; the schema is at /openapi.json.',
  },
  malformed_body: {
    status: 400,
    summary: 'The body is not the JSON that its content type promises.',
    hint: 'Send one JSON document with content-type application/json.',
  },
  body_too_large: {
    status: 413,
    summary: 'The body is larger than this path accepts.',
    hint: 'Send smaller batches, or upload the bytes as an object first.',
  },
  not_found: { status: 404, summary: 'No such path.', hint: 'The paths that exist are listed at /openapi.json.' },
  unauthenticated: {
    status: 401,
    summary: 'No valid token came with the request.',
    hint: 'Send `Authorization: Bearer <token>`; make one with `pave create-token`.',
  },
  permission_denied: {
    status: 403,
    summary: 'The caller may not do this to this object.',
    hint: 'Ask an admin of the workspace to bind a role that has the permission (`pave bind-role`).',
  },
  host_unknown: {
    status: 421,
    summary: 'A browser asked for the control plane by a host name that is none of its own.',
    hint: 'Open the console under its own address, or add the name with PAVE_URL or PAVE_NAMES and start Pave again.',
  },
  cross_site_request: {
    status: 403,
    summary: 'A page of another site used the session of somebody who is signed in here.',
    hint: 'Sign in on the page itself. A proxy in front of Pave is named with PAVE_URL; programs send a token.',
  },
  admission_denied: {
    status: 409,
    summary: 'An admission point refused the operation.',
    hint: 'The reasons are in `details.reasons`.',
  },
  idempotency_key_reused: {
    status: 422,
    summary: 'The idempotency key was used for a different request.',
    hint: 'Use a fresh Idempotency-Key for each distinct request.',
  },
  idempotent_request_in_progress: {
    status: 409,
    summary: 'The first request with this idempotency key has not finished.',
    hint: 'Retry after a moment; the answer of the first request will be returned.',
  },
  precondition_failed: {
    status: 412,
    summary: 'The resource changed since it was read.',
    hint: 'Read it again, apply your change to what you see, and send its new ETag in If-Match.',
  },
  conflict: {
    status: 409,
    summary: 'The database refused the change because of a concurrent one or a broken reference.',
    hint: 'Read the current state and try again.',
  },
  database_unavailable: {
    status: 503,
    summary: 'PostgreSQL cannot be reached.',
    hint: 'Retry shortly, with an Idempotency-Key if it must happen once; `pave up` restarts its own PostgreSQL by itself.',
  },
  disk_full: {
    status: 507,
    summary: 'No space is left on the disk.',
    hint: 'Free space in the directory named in the message, then retry; nothing half-written was kept.',
  },
  internal: {
    status: 500,
    summary: 'Something broke inside Pave.',
    hint: 'Retry; if it persists, look for the trace id in the logs.',
  },
  rate_limited: {
    status: 429,
    summary: 'Too many requests of this class.',
    hint: 'Wait as long as Retry-After says.',
  },
  pending_operation_not_found: {
    status: 404,
    summary: 'No operation waits under this id.',
    hint: 'List what waits with `pave list-pending-operations`.',
  },
  pending_operation_closed: {
    status: 409,
    summary: 'The waiting operation was already decided.',
    hint: 'Read its outcome with `pave list-pending-operations --state all`.',
  },
  approval_required: {
    status: 409,
    summary: 'The operation waits for approvals where it was expected to run at once.',
    hint: 'See what waits with `pave list-pending-operations`; an approver runs `pave approve`.',
  },
  approval_lapsed: {
    status: 409,
    summary: 'The evidence changed after it was approved.',
    hint: 'Ask for the operation again, and have the new evidence approved.',
  },
  job_not_found: { status: 404, summary: 'No such job.', hint: 'List jobs with `pave list-jobs`.' },
  job_cancelled: {
    status: 409,
    summary: 'The job was cancelled.',
    hint: 'Start it again if it is still wanted.',
  },
  job_timed_out: {
    status: 504,
    summary: 'The job took longer than it may.',
    hint: 'Retry it with `pave retry-job`, or give it less to do at once.',
  },
  shutting_down: {
    status: 503,
    summary: 'Pave is stopping.',
    hint: 'The job goes on when Pave is up again.',
  },
  console_not_built: {
    status: 500,
    summary: 'The console could not be built.',
    hint: 'Mend what the message names, or reinstall the dependencies with `npm ci`.',
  },
})

export const platformFailure = failure(platformErrors)
