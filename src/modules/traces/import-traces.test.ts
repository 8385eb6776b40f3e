import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identity } from '#modules/identity/module.ts'
import { createExperiment } from '#modules/tracking/contract.ts'
import { tracking } from '#modules/tracking/module.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import * as contract from './contract.ts'
import { importEvaluationDataset, importScorer, importTraces } from './import-contract.ts'
import { traces } from './module.ts'

let pave: TestPlatform
let experiment: string
beforeAll(async () => {
  pave = await createTestPlatform({ modules: [identity, tracking, traces] })
  experiment = (await pave.run(createExperiment, { name: 'moved' })).experiment
  await pave.as('ada', 'admin')
})
afterAll(() => pave.drop())

const trace = `tr-${'1'.padStart(32, '0')}`
const [wrong, right] = [`a-${'1'.padStart(32, '0')}`, `a-${'2'.padStart(32, '0')}`]
const at = (second: number) => new Date(1_700_000_000_000 + second * 1000).toISOString()
const said = {
  name: 'right',
  kind: 'feedback' as const,
  source: { type: 'human' as const, id: 'grace' },
  createdAt: at(1),
  updatedAt: at(1),
}
const given = {
  trace,
  startedAt: 1_700_000_000_000,
  durationMs: 5,
  state: 'error' as const,
  tags: { 'mlflow.traceName': 'answer', team: 'a', 'pave.import.digest': '1' },
  metadata: { 'mlflow.trace.tokenUsage': '{"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}' },
  assessments: [
    { ...said, assessment: wrong, value: false, valid: false },
    { ...said, assessment: right, value: true, overrides: wrong, valid: true },
  ],
}
const importOne = (more: Partial<typeof given> = {}) =>
  pave.run(importTraces, { experiment, traces: [{ ...given, ...more }] })

describe('import-traces', () => {
  it('says of a trace what the other server said, whatever its spans told', async () => {
    await pave.run(contract.logSpans, {
      experiment,
      spans: [
        {
          ...{
            trace,
            span: '0000000000000001',
            name: 'step',
            start: '1800000000000000000',
            end: '1800000001000000000',
          },
          attributes: '{"mlflow.traceTag.team":"b","mlflow.traceTag.more":"c","session.id":"s"}',
        },
      ],
    })
    expect(await importOne()).toEqual({ traces: 1, assessments: 2 })
    const { 'mlflow.traceName': _, ...tags } = given.tags
    expect(await pave.run(contract.getTrace, { trace })).toMatchObject({
      ...{ name: 'answer', state: 'error', startedAt: given.startedAt, durationMs: 5 },
      ...{ tags, metadata: given.metadata, tokens: { input: 1, output: 2, total: 3 }, spans: 1 },
    })
  })

  it('keeps ids, times and what is no longer valid, and changes nothing the second time', async () => {
    const before = await pave.run(contract.getTrace, { trace })
    expect(before.assessments).toMatchObject([
      { assessment: wrong, value: false, valid: false, createdAt: at(1), updatedAt: at(1) },
      { assessment: right, value: true, valid: true, overrides: wrong },
    ])
    expect(await importOne()).toEqual({ traces: 1, assessments: 0 })
    expect(await pave.run(contract.getTrace, { trace })).toEqual(before)
  })

  it('keeps what was said here meanwhile, and takes what is newer there', async () => {
    await pave.run(contract.updateTrace, { trace, tags: { here: 'yes' } })
    await pave.run(contract.updateAssessment, { trace, assessment: right, rationale: 'checked here' })
    const [, second] = given.assessments
    await importOne({ tags: { ...given.tags, team: 'z' }, assessments: second === undefined ? [] : [second] })
    const { tags, assessments } = await pave.run(contract.getTrace, { trace })
    expect(tags).toMatchObject({ here: 'yes', team: 'z' })
    expect(assessments.find(({ assessment }) => assessment === right)).toMatchObject({ rationale: 'checked here' })
  })

  it('takes no trace of another experiment', async () => {
    const other = (await pave.run(createExperiment, { name: 'other' })).experiment
    await expect(pave.run(importTraces, { experiment: other, traces: [given] })).rejects.toMatchObject({
      code: 'trace_elsewhere',
    })
  })
})

describe('import-evaluation-dataset', () => {
  it('keeps ids and times, takes the newer of two records, and never goes back', async () => {
    const dataset = `d-${'1'.padStart(32, '0')}`
    const record = (number: number, updated: number, outputs: string) => ({
      record: `dr-${String(number).padStart(32, '0')}`,
      inputs: { number },
      outputs,
      createdAt: at(0),
      updatedAt: at(updated),
    })
    const put = (updated: number, ...records: ReturnType<typeof record>[]) =>
      pave.run(importEvaluationDataset, {
        ...{ dataset, name: 'cases', tags: { a: 'b' }, experiments: [experiment] },
        ...{ createdAt: at(0), updatedAt: at(updated), records },
      })
    await put(5, record(1, 5, 'new'), record(2, 1, 'old'))
    expect(await put(3, record(1, 3, 'older'), record(2, 3, 'newer'))).toMatchObject({ records: 2, updatedAt: at(5) })
    const { items } = await pave.run(contract.listEvaluationRecords, { dataset })
    expect(items.map(({ record: id, outputs, updatedAt }) => [id.slice(-1), outputs, updatedAt])).toEqual([
      ['1', 'new', at(5)],
      ['2', 'newer', at(3)],
    ])
  })
})

describe('import-scorer', () => {
  it('keeps numbers, and refuses another content under one', async () => {
    const scorer = '00000000-0000-4000-8000-000000000001'
    const put = (version: number, serialized: string) =>
      pave.run(importScorer, {
        experiment,
        scorer,
        name: 'short',
        version,
        serialized,
        createdAt: at(version),
      })
    await put(1, '{}')
    await put(3, '{"b":1}')
    expect(await put(1, '{}')).toMatchObject({ scorer, version: 1, createdAt: at(1) })
    await expect(put(1, '{"c":1}')).rejects.toMatchObject({ code: 'scorer_version_taken' })
    expect(await pave.run(contract.registerScorer, { experiment, name: 'short', serialized: '1' })).toMatchObject({
      ...{ scorer, version: 4 },
    })
  })
})
