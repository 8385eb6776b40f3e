import { z } from 'zod'
import { PaveError } from '#platform/errors.ts'

/** An answer in MLflow's own terms, for what Pave has no error for. */
export class MlflowError extends Error {
  readonly code: MlflowCode

  constructor(code: MlflowCode, message: string) {
    super(message)
    this.name = 'MlflowError'
    this.code = code
  }
}

type MlflowCode = keyof typeof statuses

/** As in `mlflow/exceptions.py`: clients act on the code, and retry 429 and 5xx on their own. */
const statuses = {
  INVALID_PARAMETER_VALUE: 400,
  RESOURCE_ALREADY_EXISTS: 400,
  BAD_REQUEST: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  RESOURCE_DOES_NOT_EXIST: 404,
  ENDPOINT_NOT_FOUND: 404,
  RESOURCE_CONFLICT: 409,
  REQUEST_LIMIT_EXCEEDED: 429,
  INTERNAL_ERROR: 500,
  NOT_IMPLEMENTED: 501,
  TEMPORARILY_UNAVAILABLE: 503,
} as const

const codes = new Map<string, MlflowCode>([
  ['experiment_exists', 'RESOURCE_ALREADY_EXISTS'],
  ['model_exists', 'RESOURCE_ALREADY_EXISTS'],
  ['principal_exists', 'RESOURCE_ALREADY_EXISTS'],
  ['host_unknown', 'PERMISSION_DENIED'],
  ['param_changed', 'INVALID_PARAMETER_VALUE'],
  ['tracking_run_deleted', 'INVALID_PARAMETER_VALUE'],
  ['experiment_deleted', 'INVALID_PARAMETER_VALUE'],
  ['artifact_path_taken', 'INVALID_PARAMETER_VALUE'],
])

const codeOfStatus = new Map<number, MlflowCode>([
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'RESOURCE_DOES_NOT_EXIST'],
  [409, 'RESOURCE_CONFLICT'],
  [412, 'RESOURCE_CONFLICT'],
  [429, 'REQUEST_LIMIT_EXCEEDED'],
  [503, 'TEMPORARILY_UNAVAILABLE'],
])

/** Any error as MLflow tells it; the hint goes into the message, which is all that the client shows. */
export function mlflowAnswer(error: unknown): { status: number; body: { error_code: MlflowCode; message: string } } {
  const { code, message } = describe(error)
  return { status: statuses[code], body: { error_code: code, message } }
}

function describe(error: unknown): { code: MlflowCode; message: string } {
  if (error instanceof MlflowError) return { code: error.code, message: error.message }
  if (error instanceof z.ZodError) {
    const problems = error.issues
      .slice(0, 10)
      .map(({ path, message }) => `${path.map(String).join('.').slice(0, 300) || 'the request'}: ${message}`)
    return { code: 'INVALID_PARAMETER_VALUE', message: problems.join('; ') }
  }
  if (error instanceof PaveError) {
    const code =
      codes.get(error.code) ??
      codeOfStatus.get(error.status) ??
      (error.status < 500 ? 'INVALID_PARAMETER_VALUE' : 'INTERNAL_ERROR')
    const problems = error.problems
      .slice(0, 10)
      .map(({ pointer, message }) => `${pointer.slice(0, 300)}: ${message}`)
      .join('; ')
    return { code, message: `${problems || error.message}. ${error.hint}` }
  }
  if (
    error instanceof Error &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode < 500
  ) {
    return { code: 'BAD_REQUEST', message: error.message }
  }
  return { code: 'INTERNAL_ERROR', message: 'Something broke inside Pave' }
}

export function notFound(message: string): MlflowError {
  return new MlflowError('RESOURCE_DOES_NOT_EXIST', message)
}

export function invalid(message: string): MlflowError {
  return new MlflowError('INVALID_PARAMETER_VALUE', message)
}

/** Pave has it in another way, which the message names. Clients ask no second time, and fall back to nothing. */
export function elsewhere(message: string): MlflowError {
  return new MlflowError('NOT_IMPLEMENTED', message)
}
