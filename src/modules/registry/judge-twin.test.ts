import { expect, it } from 'vitest'
import type { TwinReport } from './contract.ts'
import { judgeTwin } from './judge-twin.ts'

const report = (more: Partial<TwinReport> = {}): TwinReport => ({
  flavor: 'sklearn',
  converter: 'skl2onnx 1.20.0',
  opset: 17,
  python: '3.11.7',
  packages: {},
  samples: 261,
  origins: { example: 5, signature: 256 },
  output: 'probabilities',
  maxAbsolute: 2e-5,
  maxRelative: 3e-5,
  difference: 2e-5,
  worst: { row: 7, model: 0.5, graph: 0.50002 },
  labels: 0,
  columns: null,
  ...more,
})

it('lets a graph serve up to the tolerance and not beyond', () => {
  expect(judgeTwin(report(), 2e-5)).toBeUndefined()
  expect(judgeTwin(report({ labels: null }), 1e-4)).toBeUndefined()
  expect(judgeTwin(report(), 1e-5)).toEqual({
    code: 'twin_differs',
    message:
      'They differ by 0.00002 where 0.00001 is allowed: for sample 7 of 261 the model answers 0.5 and the graph 0.50002',
  })
})

it('takes no tolerance for a number where there should be none, nor for another label', () => {
  const missing = report({ difference: null, maxAbsolute: null, worst: { row: 3, model: 0.1, graph: null } })
  expect(judgeTwin(missing, 1)?.message).toBe('For sample 3 of 261 the model answers 0.1 and the graph no number')
  expect(judgeTwin(report({ labels: 2 }), 1)?.message).toContain('2 of 261 samples get another label')
})
