import type { TensorSignature } from '#algorithms/tensors/signature.ts'
import type { Endpoint } from './compile-endpoint.ts'
import { fieldDatatypes } from './read-request.ts'

/** Metadata of a model in the Open Inference Protocol. */
export interface ModelMetadata {
  name: string
  versions: string[]
  platform: string
  inputs: TensorSignature[]
  outputs: TensorSignature[]
}

/** What a caller sends and gets: the request's fields, or the model's own tensors where the endpoint has none. */
export function describeEndpoint({ spec, routes, plain }: Endpoint): ModelMetadata {
  const route = routes.find(({ variant }) => variant === 'primary')
  const fields = spec.request.map(({ name, type }) => ({ name, datatype: fieldDatatypes[type][0], shape: [-1] }))
  const output = route?.signature.outputs.find(({ name }) => name === route.version.output)
  return {
    name: spec.endpoint,
    versions: [...new Set(routes.map(({ version }) => String(version.version)))],
    platform: 'onnx',
    inputs: plain ? (route?.signature.inputs ?? []) : fields,
    outputs: plain ? (route?.signature.outputs ?? []) : output === undefined ? [] : [rowsOf(output)],
  }
}

function rowsOf({ name, datatype, shape }: TensorSignature): TensorSignature {
  const [, width = 1] = shape
  return { name, datatype, shape: width === 1 ? [-1] : [-1, width] }
}
