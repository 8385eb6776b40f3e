import { expect, it } from 'vitest'
import type { OnnxTwin } from '../contract.ts'
import { someVersion } from './some-version.fixture.ts'
import { comparison, difference, mayHaveTwin, originsText, tensorsText } from './twin-view.ts'

const report: NonNullable<OnnxTwin['report']> = {
  flavor: 'sklearn',
  converter: 'skl2onnx 1.20.0',
  opset: 17,
  python: '3.11.7',
  packages: {},
  samples: 261,
  origins: { example: 5, 'around the example': 256 },
  output: 'probabilities',
  maxAbsolute: 1.2345e-7,
  maxRelative: 1e-6,
  difference: 1.2345e-7,
  worst: { row: 0, model: 0.5, graph: 0.5 },
  labels: 0,
  columns: null,
}

const twin = (more: Partial<OnnxTwin> = {}): OnnxTwin => ({
  state: 'ready',
  job: '00000000-0000-7000-8000-000000000002',
  flavor: 'sklearn',
  tolerance: 1e-4,
  askedBy: '00000000-0000-7000-8000-000000000001',
  askedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:01:00.000Z',
  artifact: null,
  size: null,
  signature: null,
  output: null,
  report,
  problem: null,
  log: null,
  ...more,
})

it('says what was compared, in one sentence', () => {
  expect(comparison(twin())).toBe('It answers at most 1.2e-7 from the model over 261 samples.')
  expect(comparison(twin({ report: { ...report, maxAbsolute: 0 } }))).toBe(
    'It answers exactly as the model over 261 samples.',
  )
  expect(comparison(twin({ report: { ...report, labels: 3 } }))).toMatch(/, and 3 of them get another label\.$/)
  expect(comparison(twin({ report: null }))).toBeUndefined()
  expect(originsText(report.origins)).toBe('5 of the logged example, 256 around the example')
})

it('is for versions without a graph whose flavour can be converted', () => {
  const files = `sha256:${'e'.repeat(64)}`
  const bare = { artifact: null, files, flavors: ['python_function', 'sklearn'] }
  expect(mayHaveTwin(someVersion(bare))).toBe(true)
  expect(mayHaveTwin(someVersion({ ...bare, flavors: ['python_function'] }))).toBe(false)
  expect(mayHaveTwin(someVersion({ ...bare, artifact: files }))).toBe(false)
  expect(mayHaveTwin(someVersion({ ...bare, flavors: [], twin: twin() }))).toBe(true)
})

it.each([
  [null, 'no number'],
  [0, '0'],
  [5.96e-8, '6.0e-8'],
  [0.01234, '0.012'],
  [12.4, '12'],
])('writes %j as %s', (value, text) => {
  expect(difference(value)).toBe(text)
})

it('writes what a graph takes', () => {
  expect(tensorsText([{ name: 'features', datatype: 'FP32', shape: [-1, 3] }])).toBe('features FP32 [any, 3]')
})
