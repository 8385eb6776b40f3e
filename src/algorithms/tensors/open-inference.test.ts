import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { datatypes } from './datatypes.ts'
import { parseTensors, TensorError, type TensorErrorCode, writeTensor } from './open-inference.ts'

const fp32 = (shape: unknown, data: unknown) => [{ name: 'x', datatype: 'FP32', shape, data }]

function problemOf(run: () => unknown): { code: TensorErrorCode; pointer: string } | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof TensorError) return { code: error.code, pointer: error.pointer }
    throw error
  }
  return undefined
}

const whole = (min: number, max: number) => fc.integer({ min, max })
const elements: Record<string, fc.Arbitrary<number | boolean | string>> = {
  BOOL: fc.boolean(),
  UINT8: whole(0, 255),
  UINT16: whole(0, 65_535),
  UINT32: whole(0, 0xffff_ffff),
  UINT64: fc.maxSafeNat(),
  INT8: whole(-128, 127),
  INT16: whole(-32_768, 32_767),
  INT32: whole(-(2 ** 31), 2 ** 31 - 1),
  INT64: fc.maxSafeInteger(),
  FP32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  FP64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  BYTES: fc.string(),
}

function nest(values: unknown[], shape: number[]): unknown[] {
  const [length = 0, ...inner] = shape
  if (inner.length === 0) return values
  const step = values.length / length
  return Array.from({ length }, (_, i) => nest(values.slice(i * step, (i + 1) * step), inner))
}

const tensor = fc
  .record({
    datatype: fc.constantFrom(...Object.keys(elements)),
    shape: fc.array(whole(1, 4), { minLength: 1, maxLength: 4 }),
    nested: fc.boolean(),
  })
  .chain(({ datatype, shape, nested }) => {
    const size = shape.reduce((product, dimension) => product * dimension, 1)
    const element = elements[datatype] ?? fc.constant(0)
    return fc.array(element, { minLength: size, maxLength: size }).map((data) => ({ datatype, shape, nested, data }))
  })

it('reads every datatype, flat or nested, and writes the same again', () => {
  expect(Object.keys(elements).toSorted()).toEqual(
    datatypes.filter((name) => name !== 'FP16' && name !== 'BF16').toSorted(),
  )
  fc.assert(
    fc.property(tensor, ({ datatype, shape, nested, data }) => {
      const sent = JSON.parse(JSON.stringify({ name: 'x', datatype, shape, data: nested ? nest(data, shape) : data }))
      const written = parseTensors([sent]).map(writeTensor)
      expect(JSON.parse(JSON.stringify(written))).toEqual(
        JSON.parse(JSON.stringify([{ name: 'x', datatype, shape, data }])),
      )
    }),
  )
})

it('gives the arrays that ONNX Runtime takes', () => {
  const read = (datatype: string, data: unknown) => parseTensors([{ name: 'x', datatype, shape: [2], data }])[0]?.data
  expect(read('FP32', [1, 0.1])).toEqual(Float32Array.of(1, 0.1))
  expect(read('INT64', [1, -2])).toEqual(BigInt64Array.of(1n, -2n))
  expect(read('INT64', [2n ** 63n - 1n, -(2n ** 63n)])).toEqual(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)))
  expect(read('BOOL', [true, false])).toEqual(Uint8Array.of(1, 0))
  expect(read('BYTES', ['a', ''])).toEqual(['a', ''])
})

it('takes scalars and empty tensors', () => {
  expect(parseTensors(fp32([], [3]))[0]?.data).toEqual(Float32Array.of(3))
  expect(parseTensors(fp32([0, 9], []))[0]?.data.length).toBe(0)
  expect(parseTensors(fp32([2, 0], [[], []]))[0]?.data.length).toBe(0)
})

describe('refuses', () => {
  const of = (datatype: string, element: unknown) => [{ name: 'x', datatype, shape: [1], data: [element] }]

  it.each<[string, unknown, TensorErrorCode, string]>([
    ['no list', {}, 'tensor_malformed', ''],
    ['a tensor that is no object', [3], 'tensor_malformed', '/0'],
    ['a nameless tensor', [{ datatype: 'FP32', shape: [], data: [1] }], 'tensor_malformed', '/0/name'],
    ['a name given twice', [...fp32([1], [1]), ...fp32([1], [1])], 'tensor_name_duplicate', '/1/name'],
    ['an unknown datatype', of('FLOAT', 1), 'tensor_datatype_unknown', '/0/datatype'],
    ['FP16', of('FP16', 1), 'tensor_datatype_not_in_json', '/0/datatype'],
    ['no shape', fp32(undefined, [1]), 'tensor_shape_invalid', '/0/shape'],
    ['a negative dimension', fp32([1, -1], [1]), 'tensor_shape_invalid', '/0/shape/1'],
    ['a broken dimension', fp32([1.5], [1]), 'tensor_shape_invalid', '/0/shape/0'],
    ['too many dimensions', fp32(new Array(9).fill(1), [1]), 'tensor_shape_invalid', '/0/shape'],
    ['more elements than allowed', fp32([1_000_001], []), 'tensor_too_large', '/0/shape'],
    ['a size beyond any number', fp32([2 ** 50, 2 ** 50, 2 ** 50], []), 'tensor_too_large', '/0/shape'],
    ['no data', fp32([1], undefined), 'tensor_malformed', '/0/data'],
    ['too few elements', fp32([2, 2], [1, 2, 3]), 'tensor_shape_mismatch', '/0/data'],
    ['nested data of another shape', fp32([2, 2], [[1, 2, 3, 4]]), 'tensor_shape_mismatch', '/0/data'],
    [
      'a row too long',
      fp32(
        [2, 2],
        [
          [1, 2],
          [3, 4, 5],
        ],
      ),
      'tensor_shape_mismatch',
      '/0/data/1',
    ],
    ['a row that is no list', fp32([2, 1], [[1], 2]), 'tensor_shape_mismatch', '/0/data/1'],
    ['data nested too deep', fp32([1], [[1]]), 'tensor_value_invalid', '/0/data/0'],
    ['nested data of a scalar', fp32([], [[1]]), 'tensor_shape_mismatch', '/0/data'],
    ['null', fp32([2, 1], [[1], [null]]), 'tensor_value_invalid', '/0/data/1/0'],
    ['a number that overflows FP32', of('FP32', 1e39), 'tensor_value_invalid', '/0/data/0'],
    ['a number that overflows FP64', of('FP64', Infinity), 'tensor_value_invalid', '/0/data/0'],
    ['a text as number', of('FP64', '1'), 'tensor_value_invalid', '/0/data/0'],
    ['a fraction as integer', of('INT32', 0.5), 'tensor_value_invalid', '/0/data/0'],
    ['an integer out of range', of('UINT8', 256), 'tensor_value_invalid', '/0/data/0'],
    ['a negative unsigned integer', of('UINT64', -1), 'tensor_value_invalid', '/0/data/0'],
    ['an integer that JSON may have rounded', of('INT64', 2 ** 53), 'tensor_value_invalid', '/0/data/0'],
    ['a number as BOOL', of('BOOL', 1), 'tensor_value_invalid', '/0/data/0'],
    ['a number as BYTES', of('BYTES', 1), 'tensor_value_invalid', '/0/data/0'],
  ])('%s', (_, value, code, pointer) => {
    expect(problemOf(() => parseTensors(value))).toEqual({ code, pointer })
  })

  it('more than the limits, over all tensors together', () => {
    const two = [...fp32([3], [1, 2, 3]), { name: 'y', datatype: 'FP32', shape: [2], data: [1, 2] }]
    expect(problemOf(() => parseTensors(two, { tensors: 2, elements: 5 }))).toBeUndefined()
    expect(problemOf(() => parseTensors(two, { tensors: 2, elements: 4 }))?.pointer).toBe('/1/shape')
    expect(problemOf(() => parseTensors(two, { tensors: 1, elements: 5 }))?.code).toBe('tensor_too_large')
  })

  it('anything else with a TensorError', () => {
    fc.assert(fc.property(fc.array(fc.object()), (value) => void problemOf(() => parseTensors(value))))
  })

  it('to write what JSON cannot say', () => {
    const write = (datatype: 'FP32' | 'INT64', data: Float32Array | BigInt64Array) => () =>
      writeTensor({ name: 'y', datatype, shape: [2], data })
    expect(problemOf(write('FP32', Float32Array.of(1, Number.NaN)))).toEqual({
      code: 'tensor_value_invalid',
      pointer: '/data/1',
    })
    expect(problemOf(write('INT64', BigInt64Array.of(2n ** 53n, 1n)))?.pointer).toBe('/data/0')
  })
})
