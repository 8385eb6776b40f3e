import { type Datatype, isDatatype, type Tensor, type TensorData } from './datatypes.ts'
import type { TensorSignature } from './signature.ts'

export type TensorErrorCode =
  | 'tensor_malformed'
  | 'tensor_name_duplicate'
  | 'tensor_datatype_unknown'
  | 'tensor_datatype_not_in_json'
  | 'tensor_shape_invalid'
  | 'tensor_shape_mismatch'
  | 'tensor_too_large'
  | 'tensor_value_invalid'
  | 'tensor_missing'
  | 'tensor_unexpected'

/** What is wrong with a tensor: a stable code, a message that names it, and a JSON pointer into the list of tensors. */
export class TensorError extends Error {
  readonly code: TensorErrorCode
  readonly pointer: string

  constructor(code: TensorErrorCode, message: string, pointer: string) {
    super(message)
    this.code = code
    this.pointer = pointer
  }
}

/** A tensor in the REST form of the Open Inference Protocol, version 2; `data` is flat, in row-major order. */
export interface JsonTensor {
  name: string
  datatype: Datatype
  shape: number[]
  data: (number | boolean | string)[]
}

export interface TensorLimits {
  tensors: number
  /** Elements of all tensors of a request together. */
  elements: number
}

export const defaultTensorLimits: TensorLimits = { tensors: 100, elements: 1_000_000 }

const MAX_RANK = 8
const MAX_NAME_LENGTH = 200

/**
 * Reads the `inputs` of a request: `{name, shape, datatype, data}` each, the data flat or nested as the shape says.
 * 64-bit integers are taken as numbers up to 2^53, which is all that JSON numbers hold, or as BigInts from a lossless
 * parser. Not taken: null (there is no NaN in JSON), numbers that the datatype cannot hold, FP16 and BF16.
 *
 * @throws TensorError at the first thing that is wrong
 */
export function parseTensors(value: unknown, limits: TensorLimits = defaultTensorLimits): Tensor[] {
  if (!Array.isArray(value)) throw new TensorError('tensor_malformed', 'The tensors are not a list', '')
  if (value.length > limits.tensors) {
    throw new TensorError('tensor_too_large', `${value.length} tensors are more than the ${limits.tensors} allowed`, '')
  }
  const names = new Set<string>()
  let left = limits.elements
  return value.map((item: unknown, index) => {
    const tensor = parseTensor(item, `/${index}`, left)
    if (names.has(tensor.name)) {
      throw new TensorError('tensor_name_duplicate', `The tensor ${tensor.name} is given twice`, `/${index}/name`)
    }
    names.add(tensor.name)
    left -= tensor.data.length
    return tensor
  })
}

function parseTensor(item: unknown, pointer: string, elementsLeft: number): Tensor {
  if (typeof item !== 'object' || item === null) {
    throw new TensorError('tensor_malformed', 'A tensor is an object with name, shape, datatype and data', pointer)
  }
  const name = 'name' in item ? item.name : undefined
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_LENGTH) {
    throw new TensorError(
      'tensor_malformed',
      `A tensor has a name of 1 to ${MAX_NAME_LENGTH} characters`,
      `${pointer}/name`,
    )
  }
  const datatype = 'datatype' in item ? item.datatype : undefined
  if (!isDatatype(datatype)) {
    const given = typeof datatype === 'string' ? datatype.slice(0, 20) : 'missing'
    throw new TensorError(
      'tensor_datatype_unknown',
      `The datatype of ${name} is ${given}; FP32 is an example of one`,
      `${pointer}/datatype`,
    )
  }
  if (datatype === 'FP16' || datatype === 'BF16') {
    throw new TensorError(
      'tensor_datatype_not_in_json',
      `${datatype} tensors such as ${name} cannot be sent as JSON; send them as binary data, or as FP32`,
      `${pointer}/datatype`,
    )
  }
  const shape = parseShape('shape' in item ? item.shape : undefined, name, `${pointer}/shape`)
  const size = shape.reduce((product, dimension) => product * dimension, 1)
  if (size > elementsLeft) {
    throw new TensorError(
      'tensor_too_large',
      `${name} has ${size} elements, which takes the request over the limit; send fewer rows at a time`,
      `${pointer}/shape`,
    )
  }
  const data = allocate(datatype, size)
  fill(data, datatype, shape, 'data' in item ? item.data : undefined, name, `${pointer}/data`)
  return { name, datatype, shape, data }
}

function parseShape(shape: unknown, name: string, pointer: string): number[] {
  if (!Array.isArray(shape) || shape.length > MAX_RANK) {
    throw new TensorError(
      'tensor_shape_invalid',
      `The shape of ${name} is no list of at most ${MAX_RANK} dimensions`,
      pointer,
    )
  }
  return shape.map((dimension: unknown, axis) => {
    if (typeof dimension !== 'number' || !Number.isSafeInteger(dimension) || dimension < 0) {
      throw new TensorError(
        'tensor_shape_invalid',
        `Dimension ${axis} of ${name} is no whole number from 0 on`,
        `${pointer}/${axis}`,
      )
    }
    return dimension
  })
}

function allocate(datatype: Exclude<Datatype, 'FP16' | 'BF16'>, size: number): TensorData {
  switch (datatype) {
    case 'BOOL':
    case 'UINT8':
      return new Uint8Array(size)
    case 'UINT16':
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

function fill(
  data: TensorData,
  datatype: Datatype,
  shape: number[],
  value: unknown,
  name: string,
  pointer: string,
): void {
  if (!Array.isArray(value)) throw new TensorError('tensor_malformed', `The data of ${name} is no list`, pointer)
  if (!Array.isArray(value[0])) {
    if (value.length !== data.length) {
      throw new TensorError(
        'tensor_shape_mismatch',
        `${name} has ${value.length} elements where its shape [${shape.join(', ')}] needs ${data.length}`,
        pointer,
      )
    }
    fillFlat(data, datatype, value, 0, name, pointer)
    return
  }
  const [outer = 0, ...inner] = shape
  fillNested(data, datatype, [outer, ...inner], value, 0, name, pointer)
}

/** Nested lists mirror the shape, so the recursion is as deep as the rank at most. */
function fillNested(
  data: TensorData,
  datatype: Datatype,
  shape: number[],
  value: unknown,
  start: number,
  name: string,
  pointer: string,
): void {
  const [length = 0, ...inner] = shape
  if (!Array.isArray(value) || value.length !== length) {
    const actual = Array.isArray(value) ? `a list of ${value.length}` : 'no list'
    throw new TensorError(
      'tensor_shape_mismatch',
      `${name} has ${actual} where its shape needs a list of ${length}`,
      pointer,
    )
  }
  if (inner.length === 0) {
    fillFlat(data, datatype, value, start, name, pointer)
    return
  }
  const step = inner.reduce((product, dimension) => product * dimension, 1)
  value.forEach((item: unknown, i) => {
    fillNested(data, datatype, inner, item, start + i * step, name, `${pointer}/${i}`)
  })
}

/** The fractions and 64-bit integers have no range to look up; the others are bounded by their arrays. */
const ranges: Partial<Record<Datatype, readonly [low: number, high: number]>> = {
  UINT8: [0, 0xff],
  UINT16: [0, 0xffff],
  UINT32: [0, 0xffff_ffff],
  INT8: [-0x80, 0x7f],
  INT16: [-0x8000, 0x7fff],
  INT32: [-0x8000_0000, 0x7fff_ffff],
}

function fillFlat(
  data: TensorData,
  datatype: Datatype,
  values: readonly unknown[],
  start: number,
  name: string,
  pointer: string,
): void {
  const refuse = (i: number, reason: string): never => {
    throw new TensorError('tensor_value_invalid', `Element ${start + i} of ${name} ${reason}`, `${pointer}/${i}`)
  }
  const [low, high] = ranges[datatype] ?? [-Infinity, Infinity]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (value === null || value === undefined) refuse(i, 'is null, which is no value; leave the row out or impute it')
    if (Array.isArray(data)) {
      if (typeof value === 'string') data[start + i] = value
      else refuse(i, 'is no text, as BYTES needs')
    } else if (datatype === 'BOOL') {
      if (typeof value === 'boolean') data[start + i] = value ? 1 : 0
      else refuse(i, 'is neither true nor false, as BOOL needs')
    } else if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
      const exact = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
      const fitting = data instanceof BigInt64Array ? BigInt.asIntN : BigInt.asUintN
      if (typeof exact === 'bigint' && fitting(64, exact) === exact) data[start + i] = exact
      else refuse(i, `is no ${datatype} that a JSON number holds exactly (up to 2^53)`)
    } else if (data instanceof Float32Array || data instanceof Float64Array) {
      if (typeof value !== 'number') refuse(i, `is no number, as ${datatype} needs`)
      else {
        data[start + i] = value
        if (!Number.isFinite(data[start + i])) refuse(i, `is too large for ${datatype}`)
      }
    } else if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high) {
      data[start + i] = value
    } else refuse(i, `is no whole number from ${low} to ${high}, as ${datatype} needs`)
  }
}

/**
 * Checks that tensors are what a model takes: every input there once, none other, of the right datatype and shape.
 *
 * @throws TensorError at the first that is not
 */
export function matchInputs(tensors: readonly Tensor[], signature: readonly TensorSignature[]): void {
  tensors.forEach(({ name, datatype, shape }, index) => {
    const expected = signature.find((tensor) => tensor.name === name)
    const names = signature.map((tensor) => tensor.name).join(', ')
    if (expected === undefined) {
      throw new TensorError(
        'tensor_unexpected',
        `The model has no input ${name}; its inputs are ${names}`,
        `/${index}/name`,
      )
    }
    if (datatype !== expected.datatype) {
      throw new TensorError(
        'tensor_unexpected',
        `${name} is ${datatype}; the model takes ${expected.datatype}`,
        `/${index}/datatype`,
      )
    }
    const fits =
      shape.length === expected.shape.length &&
      shape.every((size, axis) => expected.shape[axis] === -1 || expected.shape[axis] === size)
    if (!fits) {
      const message = `${name} has shape [${shape.join(', ')}]; the model takes [${expected.shape.join(', ')}]`
      throw new TensorError('tensor_shape_mismatch', message, `/${index}/shape`)
    }
  })
  const missing = signature.find(({ name }) => !tensors.some((tensor) => tensor.name === name))
  if (missing !== undefined) throw new TensorError('tensor_missing', `The input ${missing.name} is missing`, '')
}

/**
 * The REST form of a tensor that a model gave.
 *
 * @throws TensorError for what JSON cannot say: NaN, infinities, integers beyond 2^53, FP16, BF16
 */
export function writeTensor({ name, datatype, shape, data }: Tensor): JsonTensor {
  if (datatype === 'FP16' || datatype === 'BF16') {
    throw new TensorError(
      'tensor_datatype_not_in_json',
      `${datatype} tensors such as ${name} have no JSON form`,
      '/datatype',
    )
  }
  const values = Array.isArray(data)
    ? data
    : Array.from<number | bigint, number | boolean>(data, (value, i) => {
        if (datatype === 'BOOL') return value !== 0
        const number = Number(value)
        if (typeof value === 'bigint' ? Number.isSafeInteger(number) : Number.isFinite(number)) return number
        throw new TensorError(
          'tensor_value_invalid',
          `Element ${i} of ${name} is ${value}, which JSON cannot say`,
          `/data/${i}`,
        )
      })
  return { name, datatype, shape, data: values }
}
