/** Element types by their Open Inference Protocol names; BF16 is Triton's addition. */
export const datatypes = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'BF16',
  'FP32',
  'FP64',
  'BYTES',
] as const

export type Datatype = (typeof datatypes)[number]

export function isDatatype(name: unknown): name is Datatype {
  return datatypes.some((datatype) => datatype === name)
}

/**
 * Values of a tensor in row-major order, in the arrays that ONNX Runtime takes: BOOL is one byte each, 64-bit integers
 * are BigInts, FP16 and BF16 are their bit patterns, BYTES are texts.
 */
export type TensorData =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | string[]

export interface Tensor {
  name: string
  datatype: Datatype
  /** No negative dimension; empty for a scalar. */
  shape: number[]
  data: TensorData
}
