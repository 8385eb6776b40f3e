import { expect, test } from 'vitest'
import { comparedFeatures, comparedRows, comparedSignatures, versionsOf } from './compare-view.ts'
import { someVersion } from './some-version.fixture.ts'

test('an address names versions of the model, each once', () => {
  expect(versionsOf('3,1,3,x,-2,0,1e9,99999999999')).toEqual([3, 1])
  expect(versionsOf('')).toEqual([])
  expect(versionsOf('1,2,3,4,5,6,7')).toHaveLength(6)
})

test('rows that differ are told from rows that do not, and what one lacks is a difference', () => {
  expect(
    comparedRows([
      new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
      new Map([
        ['a', '1'],
        ['c', '3'],
      ]),
    ]),
  ).toEqual([
    { name: 'a', values: ['1', '1'], same: true },
    { name: 'b', values: ['2', null], same: false },
    { name: 'c', values: [null, '3'], same: false },
  ])
})

test('tensors are compared by role and name, features by their column', () => {
  const wide = someVersion({
    version: 2,
    features: ['hour', 'distance'],
    signature: {
      inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 3] }],
      outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
    },
  })
  const pair = [someVersion(), wide]
  expect(comparedSignatures(pair)).toEqual([
    { name: 'input features', values: ['FP32 [any, 2]', 'FP32 [any, 3]'], same: false },
    { name: 'output score', values: ['FP32 [any, 1]', 'FP32 [any, 1]'], same: true },
  ])
  expect(comparedFeatures(pair).map(({ name, values }) => [name, ...values])).toEqual([
    ['distance', 'column 1', 'column 2'],
    ['hour', 'column 2', 'column 1'],
  ])
})
