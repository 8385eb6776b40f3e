import { expect, test } from 'vitest'
import { PipelineSpec } from '../contract.ts'
import { cacheText, lasted, runIn, startingValues, typedParams } from './run-view.ts'

const { params } = PipelineSpec.parse({
  steps: [{ name: 'a', run: 'true' }],
  params: {
    trees: { type: 'int', default: 80 },
    rate: { type: 'double' },
    dry: { type: 'bool', default: false },
    from: { type: 'timestamp', default: '2001-01-01' },
    unit: { type: 'string', default: 'miles' },
    name: { type: 'string' },
  },
})

test('a form begins with the defaults, or with what an earlier run was given', () => {
  expect(startingValues(params)).toEqual({
    trees: '80',
    rate: '',
    dry: 'false',
    from: '2001-01-01',
    unit: 'miles',
    name: '',
  })
  expect(startingValues(params, { trees: 5, dry: true, gone: 'x' })).toMatchObject({ trees: '5', dry: 'true' })
})

test('what is typed gets the type of its param; what has no such type is left to the server to refuse', () => {
  const typed = { trees: '12', rate: ' 0.5 ', dry: 'true', from: ' 2001-02-01 ', unit: '', name: ' 深い木 ' }
  expect(typedParams(params, typed)).toEqual({
    trees: 12,
    rate: 0.5,
    dry: true,
    from: '2001-02-01',
    unit: '',
    name: ' 深い木 ',
  })
  expect(typedParams(params, { trees: 'many' })).toEqual({ trees: 'many', unit: '' })
  expect(typedParams(params, startingValues(params))).toEqual({
    trees: 80,
    dry: false,
    from: '2001-01-01',
    unit: 'miles',
  })
})

test('time goes on until the end', () => {
  const startedAt = '2026-01-01T00:00:00.000Z'
  const now = Date.parse(startedAt) + 5_000
  expect(lasted({ startedAt: null, endedAt: null }, now)).toBeNull()
  expect(lasted({ startedAt, endedAt: null }, now)).toBe(5_000)
  expect(lasted({ startedAt, endedAt: '2026-01-01T00:00:02.000Z' }, now)).toBe(2_000)
  // The reader's clock may be behind the server's.
  expect(lasted({ startedAt, endedAt: null }, now - 60_000)).toBe(0)
})

test('the run that a cache hit came from is found in its reason', () => {
  const run = '01a1fec3-8908-79d3-9a33-42e60a5d9e06'
  expect(runIn(`same code, params and inputs as run ${run}`)).toEqual({
    before: 'same code, params and inputs as run ',
    run,
    after: '',
  })
  expect(runIn('first run of this step')).toBeUndefined()
  expect(cacheText([{ cache: { hit: true, reason: '' } }, { cache: null }])).toBe('1 of 2 steps from the cache')
})
