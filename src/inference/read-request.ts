import type { Datatype, Tensor } from '#algorithms/tensors/datatypes.ts'
import { parseTensors, TensorError } from '#algorithms/tensors/open-inference.ts'
import type { ServedEndpoint } from '#modules/releases/contract.ts'
import { parseTimestamp } from '#platform/expressions/values.ts'
import type { FieldValue, RequestRows } from './compute-features.ts'
import { inferenceFailure } from './errors.ts'

type FieldType = ServedEndpoint['request'][number]['type']

export interface InferenceRequest {
  id: string | undefined
  /** Decides the variant before the endpoint's targeting field does. */
  targetingKey: string | undefined
  inputs: Tensor[]
  /** Names of the wanted outputs; undefined for all. */
  outputs: string[] | undefined
}

const requestLimits = { idLength: 200, textLength: 1000 }

/** What each type of request field may be sent as. */
export const fieldDatatypes: Record<FieldType, readonly [Datatype, ...Datatype[]]> = {
  int: ['INT64', 'INT32', 'INT16', 'INT8', 'UINT64', 'UINT32', 'UINT16', 'UINT8'],
  double: ['FP64', 'FP32', 'INT64', 'INT32', 'INT16', 'INT8', 'UINT64', 'UINT32', 'UINT16', 'UINT8'],
  bool: ['BOOL'],
  string: ['BYTES'],
  timestamp: ['BYTES'],
}

/**
 * Reads the JSON body of an inference request.
 *
 * @throws `inference_request_invalid` or a `tensor_…` error that names the tensor
 */
export function readRequest(body: unknown): InferenceRequest {
  if (!isRecord(body)) throw refuse('The body is not a JSON object')
  const { id, parameters, inputs, outputs } = body
  if (id !== undefined && (typeof id !== 'string' || id.length > requestLimits.idLength)) {
    throw refuse(`id is not a text of at most ${requestLimits.idLength} characters`)
  }
  if (parameters !== undefined && !isRecord(parameters)) throw refuse('parameters is not an object')
  if (inputs === undefined) throw refuse('The request has no inputs')
  return {
    id: id === '' ? undefined : id,
    targetingKey: readTargetingKey(parameters?.['targeting_key']),
    inputs: withFailures(() => parseTensors(inputs)),
    outputs: outputs === undefined ? undefined : readOutputs(outputs),
  }
}

/** Turns what the tensor algorithms throw into the errors that callers see. */
export function withFailures<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof TensorError)) throw error
    const problems = [{ pointer: `/inputs${error.pointer}`, message: error.message }]
    throw inferenceFailure(error.code, error.message, { problems })
  }
}

/**
 * The rows of a request for an endpoint with features: one tensor for each request field, one value for each row.
 *
 * @param now event time of endpoints without a timestamp field
 */
export function readRows(
  { request, timestampField, limits }: ServedEndpoint,
  inputs: Tensor[],
  now: number,
): RequestRows {
  const names = () => request.map(({ name }) => name).join(', ')
  for (const { name } of inputs) {
    if (!request.some((field) => field.name === name)) {
      throw inferenceFailure('tensor_unexpected', `The endpoint takes no tensor ${name}; it takes ${names()}`)
    }
  }
  const rows = inputs[0]?.shape[0] ?? 0
  let times: number[] | undefined
  const fields = request.map(({ name, type }) => {
    const tensor = inputs.find((input) => input.name === name)
    if (tensor === undefined) {
      throw inferenceFailure('tensor_missing', `The tensor ${name} is missing; the endpoint takes ${names()}`)
    }
    checkColumn(tensor, type, rows)
    const values = readColumn(tensor, type)
    if (type === 'timestamp') {
      const instants = values.map((value, row) => readInstant(value, row, name))
      if (name === timestampField) times = instants
    }
    return values
  })
  if (rows > limits.rows) {
    throw inferenceFailure('too_many_rows', `The request has ${rows} rows; the endpoint takes ${limits.rows} at once`)
  }
  return { rows, fields, times: times ?? new Array<number>(rows).fill(now) }
}

function checkColumn({ name, datatype, shape }: Tensor, type: FieldType, rows: number): void {
  const allowed = fieldDatatypes[type]
  if (!allowed.includes(datatype)) {
    throw inferenceFailure('tensor_unexpected', `${name} is ${datatype}; the endpoint takes ${allowed.join(' or ')}`)
  }
  const [length, width = 1, ...more] = shape
  if (length === undefined || width !== 1 || more.length > 0) {
    throw inferenceFailure('tensor_shape_mismatch', `${name} has shape [${shape.join(', ')}], not [rows] or [rows, 1]`)
  }
  if (length === 0) throw inferenceFailure('tensor_shape_mismatch', `${name} has no rows`)
  if (length !== rows) {
    throw inferenceFailure('tensor_shape_mismatch', `${name} has ${length} rows where the first tensor has ${rows}`)
  }
}

function readColumn({ name, data }: Tensor, type: FieldType): FieldValue[] {
  if (Array.isArray(data)) {
    const long = data.findIndex((text) => text.length > requestLimits.textLength)
    if (long < 0) return data
    const message = `Element ${long} of ${name} has more than ${requestLimits.textLength} characters`
    throw inferenceFailure('tensor_value_invalid', message)
  }
  if (type === 'bool') return Array.from<number | bigint, boolean>(data, (value) => Number(value) !== 0)
  return Array.from<number | bigint, number>(data, Number)
}

function readInstant(value: FieldValue, row: number, name: string): number {
  const instant = typeof value === 'string' ? parseTimestamp(value) : undefined
  if (instant !== undefined) return instant
  const hint = 'Send RFC 3339 with a zone, such as 2001-03-04T05:06:07Z.'
  throw inferenceFailure('tensor_value_invalid', `Element ${row} of ${name} is no timestamp`, { hint })
}

function readTargetingKey(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string' && value !== '' && value.length <= requestLimits.textLength) return value
  throw refuse(`parameters.targeting_key is not a text of 1 to ${requestLimits.textLength} characters`)
}

function readOutputs(outputs: unknown): string[] {
  if (!Array.isArray(outputs)) throw refuse('outputs is not a list')
  return outputs.map((output: unknown) => {
    if (!isRecord(output) || typeof output['name'] !== 'string') throw refuse('An output has no name')
    return output['name']
  })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refuse(message: string) {
  return inferenceFailure('inference_request_invalid', message)
}
