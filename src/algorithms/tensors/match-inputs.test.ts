import { expect, it } from 'vitest'
import { matchInputs } from './match-inputs.ts'
import { parseTensors, TensorError } from './open-inference.ts'
import type { TensorSignature } from './signature.ts'

const signature: TensorSignature[] = [
  { name: 'x', datatype: 'FP32', shape: [-1, 2] },
  { name: 'mask', datatype: 'BOOL', shape: [] },
]
const mask = { name: 'mask', datatype: 'BOOL', shape: [], data: [true] }
const x = (shape: number[], data: number[]) => ({ name: 'x', datatype: 'FP32', shape, data })

it('takes the inputs of the model in any order, free dimensions of any size', () => {
  matchInputs(parseTensors([mask, x([3, 2], [1, 2, 3, 4, 5, 6])]), signature)
  matchInputs(parseTensors([x([0, 2], []), mask]), signature)
})

it.each([
  ['another rank', [x([2], [1, 2]), mask], 'tensor_shape_mismatch', '/0/shape'],
  ['another size', [mask, x([2, 1], [1, 2])], 'tensor_shape_mismatch', '/1/shape'],
  ['a missing input', [x([1, 2], [1, 2])], 'tensor_missing', ''],
  ['an unknown input', [mask, { ...mask, name: 'y' }], 'tensor_unexpected', '/1/name'],
  ['another datatype', [{ ...mask, name: 'x' }], 'tensor_unexpected', '/0/datatype'],
])('refuses %s', (_, tensors, code, pointer) => {
  expect.assertions(2)
  try {
    matchInputs(parseTensors(tensors), signature)
  } catch (error) {
    expect(error).toBeInstanceOf(TensorError)
    expect(error).toMatchObject({ code, pointer })
  }
})
