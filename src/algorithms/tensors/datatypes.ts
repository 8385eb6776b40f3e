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

/** Room for the values of a tensor, all zero or empty. */
export function allocateTensor(datatype: Datatype, size: number): TensorData {
  switch (datatype) {
    case 'BOOL':
    case 'UINT8':
      return new Uint8Array(size)
    case 'UINT16':
    case 'FP16':
    case 'BF16':
      return new Uint16Array(size)
    case 'UINT32':
      return new Uint32Array(size)
    case 'UINT64':
      return new BigUint64Array(size)
    case 'INT8':
      return new Int8Array(size)
    case 'INT16':
      return new Int16Array(size)
    case 'INT32':
      return new Int32Array(size)
    case 'INT64':
      return new BigInt64Array(size)
    case 'FP32':
      return new Float32Array(size)
    case 'FP64':
      return new Float64Array(size)
    case 'BYTES':
      return new Array<string>(size).fill('')
  }
}
