import { DatabaseError } from 'pg'
import { type PaveError, platformFailure } from '../../errors.ts'

const unavailable = new Set(['57P01', '57P02', '57P03', '08000', '08003', '08006', '53300', '25P03', '25P04'])
const conflicts = new Set(['23503', '23505', '40001', '40P01', '55P03'])
// Values that JSON can carry and PostgreSQL cannot: U+0000, half a surrogate pair, a count beyond an int, no such date.
const unstorable = new Set(['22P05', '22021', '22P02', '22003', '22007', '22008'])

/** A lock was waited for longer than a session of the app may. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '55P03'
}

/** What a driver's error means to a caller; undefined when it is a defect of ours. */
export function translateDatabaseError(error: unknown): PaveError | undefined {
  if (error instanceof DatabaseError && error.code !== undefined) {
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
  if (error instanceof Error) {
    const code = 'code' in error ? error.code : undefined
    // A file that is missing is ENOENT too: only a socket that nobody listens on is the database's.
    const onSocket =
      'syscall' in error && (error.syscall === 'connect' || error.syscall === 'read' || error.syscall === 'write')
    const lost =
      (onSocket && (code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'ENOENT' || code === 'EPIPE')) ||
      /Connection terminated|timeout exceeded when trying to connect|not queryable/.test(error.message)
    if (lost) {
      return platformFailure('database_unavailable', `PostgreSQL cannot be reached: ${error.message}`, { cause: error })
    }
  }
  return undefined
}
