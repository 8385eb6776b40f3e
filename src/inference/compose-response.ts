import type { JsonTensor } from '#algorithms/tensors/open-inference.ts'
import type { InferenceRequest } from './read-request.ts'
import type { Accepted, Group, GroupResult } from './run-version.ts'

/** The body of an answered inference request in the Open Inference Protocol. */
export interface InferenceResponse {
  model_name: string
  /** Comma-separated when rows of the request were assigned to several versions. */
  model_version: string
  id: string
  parameters: Record<string, string | boolean>
  outputs: JsonTensor[]
}

export function composeResponse(
  { endpoint, id, rows }: Accepted,
  request: InferenceRequest,
  groups: readonly Group[],
  results: readonly GroupResult[],
): InferenceResponse {
  const outputs = groups.length === 1 ? (results[0]?.outputs ?? []) : [mergeRows(rows.rows, groups, results)]
  const wanted = request.outputs
  const parameters: InferenceResponse['parameters'] = {
    variant: groups.map(({ route }) => route.variant).join(','),
  }
  if (results.some(({ status }) => status === 'fallback')) parameters['fallback'] = true
  if (groups.some(({ route }) => route.version.twin)) parameters['twin'] = true
  return {
    model_name: endpoint.spec.endpoint,
    model_version: groups.map(({ route }) => route.version.version).join(','),
    id,
    parameters,
    outputs: wanted === undefined ? outputs : outputs.filter(({ name }) => wanted.includes(name)),
  }
}

/** One output in the order of the request's rows. */
function mergeRows(rows: number, groups: readonly Group[], results: readonly GroupResult[]): JsonTensor {
  const data = new Array<number>(rows).fill(0)
  groups.forEach((group, index) => {
    group.rows.forEach((row, position) => {
      data[row] = results[index]?.predictions[position] ?? 0
    })
  })
  const [first] = results
  return { name: first?.outputs[0]?.name ?? '', datatype: first?.outputs[0]?.datatype ?? 'FP64', shape: [rows], data }
}
