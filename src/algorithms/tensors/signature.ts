import { type Datatype, isDatatype } from './datatypes.ts'

export interface TensorSignature {
  name: string
  datatype: Datatype
  /** -1 is a free dimension, usually the number of rows. */
  shape: number[]
}

/** What a model takes and gives. */
export interface ModelSignature {
  inputs: TensorSignature[]
  outputs: TensorSignature[]
}

/** A tensor as a model graph states it; what the graph leaves open or the protocol has no name for is null. */
export interface StatedTensor {
  name: string
  datatype: string | null
  shape: readonly number[] | null
}

/**
 * How a declared signature and the graph contradict each other, one sentence each; empty when every request that the
 * signature allows can be run. The graph may be freer than the declared inputs and have further outputs.
 */
export function compareSignature(
  declared: ModelSignature,
  graph: { inputs: readonly StatedTensor[]; outputs: readonly StatedTensor[] },
): string[] {
  return [
    ...declared.inputs.flatMap((tensor) => compareTensor('input', tensor, graph.inputs)),
    ...graph.inputs
      .filter(({ name }) => !declared.inputs.some((tensor) => tensor.name === name))
      .map(({ name }) => `The graph needs the input ${name}, which is not declared`),
    ...declared.outputs.flatMap((tensor) => compareTensor('output', tensor, graph.outputs)),
  ]
}

/**
 * The signature that a graph states about itself, for a model registered without one. Tensors of a type that has no
 * protocol name are left out; an unknown rank is given as one free dimension.
 */
export function signatureOf(graph: {
  inputs: readonly StatedTensor[]
  outputs: readonly StatedTensor[]
}): ModelSignature {
  const servable = (tensors: readonly StatedTensor[]) =>
    tensors.flatMap(({ name, datatype, shape }): TensorSignature[] =>
      isDatatype(datatype) ? [{ name, datatype, shape: [...(shape ?? [-1])] }] : [],
    )
  return { inputs: servable(graph.inputs), outputs: servable(graph.outputs) }
}

function compareTensor(
  role: 'input' | 'output',
  { name, datatype, shape }: TensorSignature,
  stated: readonly StatedTensor[],
): string[] {
  const found = stated.find((tensor) => tensor.name === name)
  if (found === undefined) {
    const names = stated.map((tensor) => tensor.name).join(', ')
    return [`The graph has no ${role} ${name}; its ${role}s are ${names || 'none'}`]
  }
  const differences: string[] = []
  if (found.datatype !== datatype) {
    const actual = found.datatype ?? 'no tensor that can be served'
    differences.push(`The ${role} ${name} is declared ${datatype} but is ${actual} in the graph`)
  }
  if (found.shape !== null && !fits(role, shape, found.shape)) {
    differences.push(
      `The ${role} ${name} is declared with shape ${text(shape)} but has shape ${text(found.shape)} in the graph`,
    )
  }
  return differences
}

/** A free dimension of an input promises callers any size; of an output it only leaves the size open. */
function fits(role: 'input' | 'output', declared: readonly number[], stated: readonly number[]): boolean {
  if (declared.length !== stated.length) return false
  return declared.every((size, axis) => {
    const actual = stated[axis]
    return actual === -1 || actual === size || (role === 'output' && size === -1)
  })
}

function text(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`
}
