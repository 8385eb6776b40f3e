import type { Tensor } from './datatypes.ts'
import { TensorError } from './open-inference.ts'
import type { TensorSignature } from './signature.ts'

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
