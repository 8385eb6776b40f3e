import { allocateTensor, type Datatype, isDatatype, type Tensor, type TensorData } from './datatypes.ts'

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

const defaultTensorLimits: TensorLimits = { tensors: 100, elements: 1_000_000 }

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
  const data = allocateTensor(datatype, size)
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

/** One loop per kind of array, because this is where the time of a large request goes. */
function fillFlat(
  data: TensorData,
  datatype: Datatype,
  values: readonly unknown[],
  start: number,
  name: string,
  pointer: string,
): void {
  const problem = (i: number, reason: string): TensorError => {
    const what = values[i] === null ? 'is null, which is no value; leave the row out or impute it' : reason
    return new TensorError('tensor_value_invalid', `Element ${start + i} of ${name} ${what}`, `${pointer}/${i}`)
  }
  if (data instanceof Float32Array || data instanceof Float64Array) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (typeof value !== 'number') throw problem(i, `is no number, as ${datatype} needs`)
      data[start + i] = value
      if (!Number.isFinite(data[start + i])) throw problem(i, `is too large for ${datatype}`)
    }
  } else if (Array.isArray(data)) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (typeof value !== 'string') throw problem(i, 'is no text, as BYTES needs')
      data[start + i] = value
    }
  } else if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const wrap = data instanceof BigInt64Array ? BigInt.asIntN : BigInt.asUintN
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      const exact = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
      if (typeof exact !== 'bigint' || wrap(64, exact) !== exact) {
        throw problem(i, `is no ${datatype} that a JSON number holds exactly (up to 2^53)`)
      }
      data[start + i] = exact
    }
  } else if (datatype === 'BOOL') {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (typeof value !== 'boolean') throw problem(i, 'is neither true nor false, as BOOL needs')
      data[start + i] = Number(value)
    }
  } else {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      // The array wraps what it cannot hold, so anything but a fitting whole number comes back changed.
      if (typeof value === 'number') data[start + i] = value
      if (data[start + i] !== value) throw problem(i, `is no whole number that fits ${datatype}`)
    }
  }
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
  if (Array.isArray(data)) return { name, datatype, shape, data }
  if (datatype === 'BOOL') return { name, datatype, shape, data: Array.from<number | bigint, boolean>(data, Boolean) }
  const numbers = Array.from<number | bigint, number>(data, Number)
  const exact = datatype === 'INT64' || datatype === 'UINT64' ? Number.isSafeInteger : Number.isFinite
  const inexact = numbers.findIndex((number) => !exact(number))
  if (inexact >= 0) {
    const message = `Element ${inexact} of ${name} is ${data[inexact]}, which JSON cannot say`
    throw new TensorError('tensor_value_invalid', message, `/data/${inexact}`)
  }
  return { name, datatype, shape, data: numbers }
}
