import { expect, it } from 'vitest'
import { compareSignature, type ModelSignature, signatureOf } from './signature.ts'

const declared: ModelSignature = {
  inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 9] }],
  outputs: [{ name: 'delay', datatype: 'FP32', shape: [-1, 1] }],
}
const graph = structuredClone(declared)

it('finds nothing where the graph can run what is declared', () => {
  expect(compareSignature(declared, graph)).toEqual([])
  expect(
    compareSignature(declared, {
      inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, -1] }],
      outputs: [
        { name: 'delay', datatype: 'FP32', shape: null },
        { name: 'spread', datatype: 'FP32', shape: [-1] },
      ],
    }),
  ).toEqual([])
})

it('lets an output be fixed where the declaration leaves it open, but not an input', () => {
  const fixed = {
    inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 9] }],
    outputs: [{ name: 'delay', datatype: 'FP32', shape: [1, 1] }],
  }
  expect(compareSignature(declared, fixed)).toEqual([
    'The input features is declared with shape [-1, 9] but has shape [1, 9] in the graph',
  ])
})

it('says in words what differs', () => {
  expect(
    compareSignature(declared, {
      inputs: [
        { name: 'features', datatype: 'FP64', shape: [-1] },
        { name: 'mask', datatype: 'BOOL', shape: [-1] },
      ],
      outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }],
    }),
  ).toEqual([
    'The input features is declared FP32 but is FP64 in the graph',
    'The input features is declared with shape [-1, 9] but has shape [-1] in the graph',
    'The graph needs the input mask, which is not declared',
    'The graph has no output delay; its outputs are probabilities',
  ])
  expect(compareSignature(declared, { ...graph, outputs: [{ name: 'delay', datatype: null, shape: null }] })).toEqual([
    'The output delay is declared FP32 but is no tensor that can be served in the graph',
  ])
})

it('takes the signature from a graph, less what cannot be served', () => {
  expect(
    signatureOf({
      inputs: [{ name: 'x', datatype: 'INT64', shape: null }],
      outputs: [
        { name: 'label', datatype: 'INT64', shape: [-1] },
        { name: 'probabilities', datatype: null, shape: null },
      ],
    }),
  ).toEqual({
    inputs: [{ name: 'x', datatype: 'INT64', shape: [-1] }],
    outputs: [{ name: 'label', datatype: 'INT64', shape: [-1] }],
  })
})
