import type { Datatype, Tensor } from '#algorithms/tensors/datatypes.ts'
import type { ModelSignature } from '#algorithms/tensors/signature.ts'

/** What the HTTP thread and an ONNX worker say to each other. */

export type WorkerRequest =
  | { id: number; kind: 'load'; version: string; bytes: Uint8Array; signature: ModelSignature }
  | { id: number; kind: 'unload'; version: string }
  | { id: number; kind: 'run'; version: string; inputs: readonly Tensor[]; outputs: readonly string[] }

export type WorkerReply = { id: number; tensors: Tensor[] } | { id: number; error: string }

/** What ONNX Runtime calls the datatypes; its binding for Node.js has no BF16. */
export const runtimeTypes = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const

export type ServedDatatype = keyof typeof runtimeTypes

export function isServed(datatype: Datatype): datatype is ServedDatatype {
  return datatype !== 'BF16'
}
