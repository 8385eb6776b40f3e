import type { Tensor } from '#algorithms/tensors/datatypes.ts'
import { type JsonTensor, TensorError, writeTensor } from '#algorithms/tensors/open-inference.ts'
import { PaveError } from '#platform/errors.ts'
import type { Endpoint, Route } from './compile-endpoint.ts'
import type { RequestRows } from './compute-features.ts'
import { inferenceFailure } from './errors.ts'
import type { RunRequest } from './onnx-pool.ts'

/** A request that was found good, with its features. */
export interface Accepted {
  endpoint: Endpoint
  id: string
  receivedAt: string
  traceId: string | null
  inputs: readonly Tensor[]
  rows: RequestRows
  /** See `computeFeatures`; empty when the endpoint has none. */
  features: Float64Array
}

/** Rows of a request that one version answers. */
export interface Group {
  route: Route
  /** Positions in the request. */
  rows: readonly number[]
}

export interface GroupResult {
  status: 'ok' | 'fallback' | 'error'
  error: PaveError | undefined
  outputs: JsonTensor[]
  /** By row: the version's output where that is one number, or the second of two (the positive class). */
  predictions: (number | null)[]
}

/** Runs the group's version; with a fallback, what goes wrong becomes the endpoint's fallback value. */
export async function runVersion(
  accepted: Accepted,
  group: Group,
  timeoutMs: number,
  run: (request: RunRequest) => Promise<Tensor[]>,
): Promise<GroupResult> {
  const { route } = group
  const { plain } = accepted.endpoint
  try {
    const tensors = await run({
      version: route.key,
      inputs: plain ? accepted.inputs : [featureTensor(accepted, group)],
      outputs: plain ? route.signature.outputs.map(({ name }) => name) : [route.version.output],
      rows: route.batched ? group.rows.length : 0,
      timeoutMs,
    })
    const outputs = tensors.map((tensor) => writeTensor(plain ? tensor : withoutUnitAxis(tensor)))
    const predicted = outputs.find(({ name }) => name === route.version.output)
    return { status: 'ok', error: undefined, outputs, predictions: predictionsOf(predicted, group.rows.length) }
  } catch (error) {
    return failGroup(accepted, group, toFailure(error, route))
  }
}

/** What a group gets when it cannot be computed: the endpoint's fallback value where it has one. */
export function failGroup({ endpoint }: Accepted, { route, rows }: Group, error: PaveError): GroupResult {
  const { fallback } = endpoint.spec
  if (fallback === null || route.variant === 'shadow') {
    return { status: 'error', error, outputs: [], predictions: rows.map(() => null) }
  }
  const datatype = route.signature.outputs.find(({ name }) => name === route.version.output)?.datatype ?? 'FP64'
  const data = rows.map(() => fallback.value)
  const outputs = [{ name: route.version.output, datatype, shape: [rows.length], data }]
  return { status: 'fallback', error, outputs, predictions: data }
}

/** The rows as the model's single input; what is missing is NaN, which the model handles as in training. */
function featureTensor({ endpoint, features }: Accepted, { route, rows }: Group): Tensor {
  const { columns } = route
  const data = new Float32Array(rows.length * columns.length)
  let at = 0
  for (const row of rows) {
    const base = row * endpoint.slots.length
    for (const column of columns) data[at++] = features[base + column] ?? Number.NaN
  }
  const name = route.signature.inputs[0]?.name ?? ''
  return { name, datatype: 'FP32', shape: [rows.length, columns.length], data }
}

function withoutUnitAxis(tensor: Tensor): Tensor {
  const [rows, width] = tensor.shape
  return rows !== undefined && width === 1 && tensor.shape.length === 2 ? { ...tensor, shape: [rows] } : tensor
}

function predictionsOf(tensor: JsonTensor | undefined, rows: number): (number | null)[] {
  const width = (tensor?.data.length ?? 0) / rows
  return Array.from({ length: rows }, (_, row) => {
    const value = width === 1 || width === 2 ? tensor?.data[row * width + width - 1] : undefined
    return typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : null
  })
}

function toFailure(error: unknown, { version }: Route): PaveError {
  if (error instanceof PaveError) return error
  const reason = error instanceof Error ? error.message : String(error)
  const code = error instanceof TensorError ? 'prediction_not_finite' : 'model_failed'
  return inferenceFailure(code, `${version.ref}: ${reason}`, { cause: error })
}
