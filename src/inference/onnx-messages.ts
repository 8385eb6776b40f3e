import type { SignatureTensor } from '#modules/releases/contract.ts'

/** What the HTTP thread and an ONNX worker say to each other. */

export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | string[]

export interface ModelTensor {
  name: string
  /** In the terms of the Open Inference Protocol: `FP32`. */
  datatype: Datatype
  shape: readonly number[]
  data: TensorData
}

/** The datatypes that travel as JSON, and what ONNX Runtime calls them. */
export const runtimeTypes = {
  FP32: 'float32',
  FP64: 'float64',
  INT8: 'int8',
  UINT8: 'uint8',
  INT16: 'int16',
  UINT16: 'uint16',
  INT32: 'int32',
  UINT32: 'uint32',
  INT64: 'int64',
  UINT64: 'uint64',
  BOOL: 'bool',
  BYTES: 'string',
} as const

export type Datatype = keyof typeof runtimeTypes

export function isDatatype(name: string): name is Datatype {
  return Object.hasOwn(runtimeTypes, name)
}

export interface Signature {
  inputs: SignatureTensor[]
  outputs: SignatureTensor[]
}

export type WorkerRequest =
  | { id: number; kind: 'load'; version: string; bytes: Uint8Array; signature: Signature }
  | { id: number; kind: 'unload'; version: string }
  | { id: number; kind: 'run'; version: string; inputs: ModelTensor[]; outputs: readonly string[] }

export type WorkerReply = { id: number; tensors: ModelTensor[] } | { id: number; error: string }

/** An empty array of the datatype's elements, `length` long. */
export function allocate(datatype: Datatype, length: number): TensorData {
  switch (datatype) {
    case 'FP32':
      return new Float32Array(length)
    case 'FP64':
      return new Float64Array(length)
    case 'INT8':
      return new Int8Array(length)
    case 'UINT8':
    case 'BOOL':
      return new Uint8Array(length)
    case 'INT16':
      return new Int16Array(length)
    case 'UINT16':
      return new Uint16Array(length)
    case 'INT32':
      return new Int32Array(length)
    case 'UINT32':
      return new Uint32Array(length)
    case 'INT64':
      return new BigInt64Array(length)
    case 'UINT64':
      return new BigUint64Array(length)
    case 'BYTES':
      return new Array<string>(length).fill('')
  }
}
