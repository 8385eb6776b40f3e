import { DatabaseError } from 'pg'
import { type PaveError, platformFailure } from '../../errors.ts'

// Ended, starting, overloaded, or read-only: a server that was promoted or demoted says 25006 to those who came too early.
const unavailable = new Set([
  ...['57P01', '57P02', '57P03', '57014', '08000', '08001', '08003', '08004', '08006', '08P01'],
  ...['53000', '53200', '53300', '25P03', '25P04', '25006'],
])
const onSocket = new Set(['connect', 'read', 'write', 'getaddrinfo'])
/** What a socket says when its other end is gone, or was never there. */
const lostSocket = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN'],
  ...['ENOTFOUND', 'EAI_AGAIN'],
])
const conflicts = new Set(['23503', '23505', '40001', '40P01', '55P03'])
// Values that JSON can carry and PostgreSQL cannot: U+0000, half a surrogate pair, a count beyond an int, no such date.
const unstorable = new Set(['22P05', '22021', '22P02', '22003', '22007', '22008'])

/** A lock was waited for longer than a session of the app may. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '55P03'
}

export function isDeadlock(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '40P01'
}

/** A migration changed what a statement answers that the session had prepared. */
export function isOutdatedPlan(error: unknown): boolean {
  return error instanceof DatabaseError && error.routine === 'RevalidateCachedQuery'
}

/** What a driver's error means to a caller; undefined when it is a defect of ours. */
export function translateDatabaseError(error: unknown): PaveError | undefined {
  if (error instanceof DatabaseError && error.code !== undefined) {
    if (isOutdatedPlan(error)) {
      return platformFailure('database_unavailable', 'The schema was changed just now', { cause: error })
    }
    if (unavailable.has(error.code)) {
      return platformFailure('database_unavailable', `PostgreSQL ended the session: ${error.message}`, { cause: error })
    }
    if (conflicts.has(error.code)) {
      return platformFailure('conflict', error.detail ?? error.message, { cause: error })
    }
    if (unstorable.has(error.code)) {
      return platformFailure('invalid_input', `The input holds a value that cannot be stored: ${error.message}`, {
        cause: error,
      })
    }
    if (error.code === '53100') {
      return platformFailure('disk_full', `PostgreSQL has no space left: ${error.message}`, { cause: error })
    }
    return undefined
  }
  if (error instanceof Error && isLostConnection(error)) {
    return platformFailure('database_unavailable', `PostgreSQL cannot be reached: ${error.message || String(error)}`, {
      cause: error,
    })
  }
  return undefined
}

function isLostConnection(error: Error): boolean {
  // Several addresses of one name were tried.
  if (error instanceof AggregateError) {
    return error.errors.length > 0 && error.errors.every((one) => one instanceof Error && isLostConnection(one))
  }
  const code = 'code' in error ? error.code : undefined
  const syscall = 'syscall' in error ? error.syscall : undefined
  // A file that is missing is ENOENT too: only a socket that nobody listens on is the database's.
  if (typeof code === 'string' && lostSocket.has(code)) return typeof syscall === 'string' && onSocket.has(syscall)
  return /Connection terminated|not queryable|been discarded|socket disconnected|timeout (exceeded|expired)|read timeout/.test(
    error.message,
  )
}
