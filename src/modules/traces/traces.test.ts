import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identity } from '#modules/identity/module.ts'
import { createExperiment, createTrackingRun, updateExperiment } from '#modules/tracking/contract.ts'
import { tracking } from '#modules/tracking/module.ts'
import { listEntries, recordObject } from '#platform/kernel/contract.ts'
import type { InputOf } from '#platform/operation.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import * as contract from './contract.ts'
import { traces } from './module.ts'

let pave: TestPlatform
let experiment: string
beforeAll(async () => {
  pave = await createTestPlatform({ modules: [identity, tracking, traces] })
  experiment = (await pave.run(createExperiment, { name: 'chat' })).experiment
})
afterAll(() => pave.drop())

type GivenSpan = Partial<InputOf<typeof contract.logSpans>['spans'][number]> & { trace: string; span: string }

let made = 0
const newTrace = () => `tr-${String(++made).padStart(32, '0')}`
const spanId = (number: number) => number.toString(16).padStart(16, '0')
const second = 1_000_000_000n
const epoch = 1_700_000_000n * second
const at = (seconds: number) => String(epoch + BigInt(Math.round(seconds * 1e9)))

function span(trace: string, number: number, more: Partial<GivenSpan> & { at?: [number, number] } = {}) {
  const { at: [from, to] = [0, 1], ...given } = more
  return { trace, span: spanId(number), name: `step ${number}`, start: at(from), end: at(to), ...given }
}

const log = (...spans: ReturnType<typeof span>[]) => pave.run(contract.logSpans, { experiment, spans })

describe('spans', () => {
  it('make a trace: its times, name, previews, tokens and state come from them', async () => {
    const trace = newTrace()
    await log(
      span(trace, 2, {
        parent: spanId(1),
        at: [0.5, 1.5],
        attributes: JSON.stringify({
          'mlflow.spanType': 'LLM',
          'mlflow.chat.tokenUsage': { input_tokens: 5, output_tokens: 7, total_tokens: 12 },
        }),
      }),
    )
    expect(await pave.run(contract.getTrace, { trace })).toMatchObject({ state: 'in_progress', name: null })
    await log(
      span(trace, 1, {
        name: 'answer',
        at: [0, 2],
        attributes: JSON.stringify({
          'mlflow.spanInputs': { messages: [{ role: 'user', content: 'How late?' }] },
          'mlflow.spanOutputs': 'Ten minutes',
          'session.id': 's1',
          'mlflow.traceTag.team': 'a',
        }),
      }),
      span(trace, 3, { parent: spanId(1), at: [1.5, 1.75], attributes: '{"gen_ai.usage.input_tokens":1}' }),
    )
    expect(await pave.run(contract.getTrace, { trace })).toMatchObject({
      experiment,
      state: 'ok',
      name: 'answer',
      startedAt: 1_700_000_000_000,
      durationMs: 2000,
      requestPreview: 'How late?',
      responsePreview: 'Ten minutes',
      tags: { team: 'a' },
      metadata: { 'mlflow.trace.session': 's1' },
      tokens: { input: 6, output: 7, total: 13 },
      spans: 3,
    })
    const listed = await pave.run(contract.listSpans, { trace })
    expect(listed).toEqual({
      start: at(0),
      span: [1, 2, 3].map(spanId),
      parent: [null, spanId(1), spanId(1)],
      name: ['answer', 'step 2', 'step 3'],
      type: ['UNKNOWN', 'LLM', 'UNKNOWN'],
      status: ['unset', 'unset', 'unset'],
      offset: [0, 5e8, 1.5e9],
      duration: [2e9, 1e9, 2.5e8],
      tokens: [null, 12, 1],
    })
  })

  it('come back as they were sent, to the last digit', async () => {
    const trace = newTrace()
    const sent = {
      ...span(trace, 1, { parent: spanId(9), status: 'error', message: 'line\nbreak "quoted"' }),
      attributes: '{"a":1.0,\n"big":9223372036854775807,"text":"}{\\"\\\\ ü 🛫 \\u0000"}',
      kind: 3,
      events: [{ name: 'exception', time: at(0.1), attributes: '{"exception.message":"2.0"}' }],
      links: [{ trace: 'f'.repeat(32), span: spanId(7), attributes: '{"n":1.0}' }],
    } as const
    await pave.run(contract.logSpans, {
      experiment,
      spans: [{ ...sent, events: [...sent.events], links: [...sent.links] }],
    })
    const { trace: _, ...expected } = { ...sent, attributes: sent.attributes.replace('\n', ' ') }
    expect(await pave.run(contract.getSpan, { trace, span: spanId(1) })).toEqual(expected)
    const { traces: read } = await pave.run(contract.readTraces, { traces: [trace, newTrace()] })
    expect(read.map((one) => one.content)).toEqual([[expected]])
    await expect(pave.run(contract.getSpan, { trace, span: spanId(5) })).rejects.toMatchObject({
      code: 'span_not_found',
    })
  })

  it('sent again are there once, and what came later of the same span counts', async () => {
    const trace = newTrace()
    const spans = [span(trace, 1), span(trace, 2, { parent: spanId(1) })]
    expect(await log(...spans)).toEqual({ traces: 1, spans: 2 })
    expect(await log(...spans)).toEqual({ traces: 1, spans: 0 })
    await log(span(trace, 2, { parent: spanId(1), name: 'again' }))
    expect((await pave.run(contract.listSpans, { trace })).name).toEqual(['step 1', 'again'])
  })

  it('of many requests at once are all kept', async () => {
    const ids = Array.from({ length: 8 }, newTrace)
    const requests = Array.from({ length: 12 }, (_, request) =>
      log(...ids.toSorted(() => (request % 2 === 0 ? 1 : -1)).map((trace) => span(trace, request + 1))),
    )
    await Promise.all(requests)
    for (const trace of ids) expect((await pave.run(contract.listSpans, { trace })).span).toHaveLength(12)
  })

  it('count tokens of a parent or of its children, not both', async () => {
    const usage = (total: number) =>
      JSON.stringify({ 'mlflow.chat.tokenUsage': { input_tokens: total, output_tokens: 0, total_tokens: total } })
    const trace = newTrace()
    await log(span(trace, 3, { parent: spanId(2), attributes: usage(4) }))
    await log(span(trace, 2, { parent: spanId(1) }))
    expect((await pave.run(contract.getTrace, { trace })).tokens?.total).toBe(4)
    await log(span(trace, 1, { attributes: usage(10) }))
    expect((await pave.run(contract.getTrace, { trace })).tokens?.total).toBe(10)
  })

  it('are refused when they cannot be read, are too many, or their experiment is gone', async () => {
    const trace = newTrace()
    for (const attributes of ['[]', 'null', '{"a":', '{} {}']) {
      await expect(log(span(trace, 1, { attributes })), attributes).rejects.toMatchObject({ code: 'span_invalid' })
    }
    for (const id of ['../../etc/passwd', 'tr-../x', `tr-${'0'.repeat(31)}`, `tr-${'G'.repeat(32)}`, '']) {
      await expect(log(span(id, 1)), id).rejects.toMatchObject({ code: 'invalid_input' })
      await expect(pave.run(contract.getTrace, { trace: id })).rejects.toMatchObject({ code: 'invalid_input' })
    }
    const many = Array.from({ length: contract.mostSpans + 1 }, (_, index) => span(trace, index + 1))
    await expect(log(...many)).rejects.toMatchObject({ code: 'invalid_input' })
    const gone = (await pave.run(createExperiment, { name: 'gone' })).experiment
    await pave.run(updateExperiment, { experiment: gone, state: 'deleted' })
    const late = pave.run(contract.logSpans, { experiment: gone, spans: [span(trace, 1)] })
    await expect(late).rejects.toMatchObject({ code: 'experiment_deleted' })
    await expect(pave.run(contract.getTrace, { trace })).rejects.toMatchObject({ code: 'trace_not_found' })
  })

  it('tell the ledger how many they were', async () => {
    const trace = newTrace()
    await log(span(trace, 1))
    const { items } = await pave.run(listEntries, { subject: `trace:${trace}` })
    expect(items[0]).toMatchObject({ operation: 'log-spans', facts: { traces: 1, spans: 1 } })
  })
})

describe('a trace as a whole', () => {
  const whole = (trace: string, more: Partial<Parameters<typeof pave.run<typeof contract.recordTrace>>[1]> = {}) =>
    pave.run(contract.recordTrace, {
      experiment,
      trace,
      startedAt: 1_700_000_000_500,
      durationMs: 250,
      state: 'error',
      tags: { 'mlflow.traceName': 'whole', team: 'b' },
      metadata: { 'mlflow.trace.tokenUsage': '{"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}' },
      ...more,
    })

  it('counts for more than its spans, whichever comes first', async () => {
    const expected = {
      name: 'whole',
      state: 'error',
      startedAt: 1_700_000_000_500,
      durationMs: 250,
      tokens: { total: 3 },
    }
    const [before, after] = [newTrace(), newTrace()]
    await whole(before)
    for (const trace of [before, after]) {
      await log(span(trace, 1, { attributes: '{"gen_ai.usage.input_tokens":50}', at: [-5, 5] }))
    }
    await whole(after)
    for (const trace of [before, after]) expect(await pave.run(contract.getTrace, { trace })).toMatchObject(expected)
  })

  it('is recorded once however often it is sent, assessments included', async () => {
    const trace = newTrace()
    const assessments = [
      { name: 'ok', kind: 'feedback' as const, value: true, source: { type: 'code' as const, id: 'check' } },
    ]
    const first = await whole(trace, { assessments })
    expect(await whole(trace, { assessments })).toEqual(first)
    expect(first.assessments).toHaveLength(1)
    const other = (await pave.run(createExperiment, { name: 'other' })).experiment
    await expect(whole(trace, { experiment: other })).rejects.toMatchObject({ code: 'trace_elsewhere' })
  })

  it('changes its tags, is linked to runs and deleted', async () => {
    const trace = newTrace()
    await whole(trace)
    const update = { trace, tags: { more: 'x\0y' }, removeTags: ['team'] }
    expect(await pave.run(contract.updateTrace, update)).toEqual({ trace, tags: { more: 'x\ufffdy' } })
    await expect(pave.run(contract.updateTrace, { trace, removeTags: ['team'] })).rejects.toMatchObject({
      code: 'trace_tag_not_found',
    })
    const { run } = await pave.run(createTrackingRun, { experiment })
    expect(await pave.run(contract.linkTraces, { run, traces: [trace] })).toEqual({ run, linked: 1 })
    expect(await pave.run(contract.linkTraces, { run, traces: [trace] })).toEqual({ run, linked: 0 })
    const { items } = await pave.run(contract.searchTraces, { run })
    expect(items.map((one) => one.trace)).toEqual([trace])
    const missing = pave.run(contract.linkTraces, { run, traces: [newTrace()] })
    await expect(missing).rejects.toMatchObject({ code: 'trace_not_found' })
    expect(await pave.run(contract.deleteTraces, { experiment: '0', traces: [trace] })).toEqual({ deleted: 0 })
    expect(await pave.run(contract.deleteTraces, { experiment, traces: [trace] })).toEqual({ deleted: 1 })
    await expect(pave.run(contract.getTrace, { trace })).rejects.toMatchObject({ code: 'trace_not_found' })
  })

  it('lets the bytes of its attachments go, when they are replaced and with it', async () => {
    const trace = newTrace()
    await log(span(trace, 1))
    const attach = async (attachment: string, content: string) => {
      const { digest, size } = await pave.run(recordObject, await pave.platform.services.objects.put(content))
      await pave.run(contract.recordTraceAttachment, { trace, attachment, digest, size })
      return digest
    }
    const released = async () => {
      const { rows } = await sql<{ digest: string }>`select digest from platform.released_object`.execute(
        pave.platform.system,
      )
      return rows.map(({ digest }) => digest)
    }
    const [one, other] = [pave.platform.ids.next(), pave.platform.ids.next()]
    const before = await attach(one, 'a picture')
    expect(await attach(one, 'a picture')).toBe(before)
    expect(await released()).not.toContain(before)
    const after = await attach(one, 'another picture')
    expect(await released()).toContain(before)
    const sound = await attach(other, 'a sound')
    await pave.run(contract.deleteTraces, { experiment, traces: [trace] })
    expect(await released()).toEqual(expect.arrayContaining([before, after, sound]))
  })

  it('is deleted by its age, the oldest first', async () => {
    const { experiment: old } = await pave.run(createExperiment, { name: 'old' })
    const ids = [newTrace(), newTrace(), newTrace()]
    for (const [index, trace] of ids.entries()) await whole(trace, { experiment: old, startedAt: 1000 + index })
    const remove = (more: object) => pave.run(contract.deleteTraces, { experiment: old, ...more })
    expect(await remove({ until: 1001, limit: 1 })).toEqual({ deleted: 1 })
    const left = await pave.run(contract.searchTraces, { experiments: [old] })
    expect(left.items.map((one) => one.trace)).toEqual([ids[2], ids[1]])
    for (const unclear of [{}, { until: 1, traces: ids }]) {
      await expect(remove(unclear)).rejects.toMatchObject({ code: 'trace_deletion_unclear' })
    }
  })
})

describe('assessments', () => {
  const source = { type: 'human' as const, id: 'ada' }

  it('are made, changed, overridden and deleted', async () => {
    const trace = newTrace()
    await log(span(trace, 1))
    const first = await pave.run(contract.createAssessment, {
      trace,
      name: 'correct',
      kind: 'feedback',
      value: 0.5,
      source,
      rationale: 'half',
    })
    const later = await pave.run(contract.createAssessment, {
      trace,
      name: 'correct',
      kind: 'feedback',
      value: { deep: ['x'] },
      source: { type: 'llm_judge', id: 'judge' },
      overrides: first.assessment,
    })
    const read = () => pave.run(contract.getTrace, { trace }).then((one) => one.assessments)
    expect((await read()).map(({ value, valid }) => [value, valid])).toEqual([
      [0.5, false],
      [{ deep: ['x'] }, true],
    ])
    const changed = {
      trace,
      assessment: later.assessment,
      value: 'yes',
      metadata: { a: '1' },
      kind: 'feedback' as const,
    }
    expect(await pave.run(contract.updateAssessment, changed)).toMatchObject({ value: 'yes', source: { id: 'judge' } })
    const other = pave.run(contract.updateAssessment, { ...changed, kind: 'expectation' })
    await expect(other).rejects.toMatchObject({ code: 'assessment_kind_differs' })
    const remove = { trace, assessment: later.assessment }
    expect(await pave.run(contract.deleteAssessment, remove)).toEqual({ deleted: true })
    expect(await pave.run(contract.deleteAssessment, remove)).toEqual({ deleted: false })
    expect(await read()).toEqual([{ ...first, valid: true }])
    await expect(pave.run(contract.getAssessment, remove)).rejects.toMatchObject({ code: 'assessment_not_found' })
    const nowhere = pave.run(contract.createAssessment, { trace: newTrace(), name: 'x', kind: 'feedback', source })
    await expect(nowhere).rejects.toMatchObject({ code: 'trace_not_found' })
  })
})

describe('evaluation datasets', () => {
  it('keep one record for the same inputs, whatever the order of their fields', async () => {
    const { dataset } = await pave.run(contract.createEvaluationDataset, { name: 'cases', experiments: [experiment] })
    const put = (records: Parameters<typeof pave.run<typeof contract.putEvaluationRecords>>[1]['records']) =>
      pave.run(contract.putEvaluationRecords, { dataset, records })
    expect(await put([{ inputs: { a: 1, b: 'x' }, expectations: { e: 1 } }, { inputs: { a: 2 } }])).toEqual({
      inserted: 2,
      updated: 0,
    })
    const again = [{ inputs: { b: 'x', a: 1 }, expectations: { f: 2.5 }, outputs: 'text', tags: { t: '1' } }]
    expect(await put(again)).toEqual({ inserted: 0, updated: 1 })
    const { items, nextCursor } = await pave.run(contract.listEvaluationRecords, { dataset, limit: 1 })
    expect(items).toMatchObject([{ inputs: { a: 1, b: 'x' }, expectations: { e: 1, f: 2.5 }, outputs: 'text' }])
    const rest = await pave.run(contract.listEvaluationRecords, { dataset, cursor: nextCursor ?? '' })
    expect(rest.items).toMatchObject([{ inputs: { a: 2 } }])
    expect(await pave.run(contract.getEvaluationDataset, { dataset })).toMatchObject({
      records: 2,
      schema: { inputs: { a: 'integer', b: 'string' }, expectations: { e: 'integer', f: 'float' }, outputs: 'string' },
    })
    const records = items.map((one) => one.record)
    expect(await pave.run(contract.deleteEvaluationRecords, { dataset, records })).toEqual({ deleted: 1 })
  })

  it('are found by name, tags and experiments', async () => {
    const { experiment: own } = await pave.run(createExperiment, { name: 'own' })
    const names = ['alpha', 'beta', 'gamma']
    for (const name of names) {
      await pave.run(contract.createEvaluationDataset, { name, tags: { team: name.slice(0, 1) }, experiments: [own] })
    }
    const find = async (filter: string, orderBy = ['name']) => {
      const { items } = await pave.run(contract.searchEvaluationDatasets, { experiments: [own], filter, orderBy })
      return items.map((one) => one.name)
    }
    expect(await find('')).toEqual(names)
    expect(await find('', ['created_time DESC'])).toEqual(names.toReversed())
    expect(await find("name LIKE '%a' AND tags.team != 'a'")).toEqual(['beta', 'gamma'])
    expect(await find("created_time > 0 AND name IN ('alpha')")).toEqual(['alpha'])
    await expect(find('nothing = 1')).rejects.toMatchObject({ code: 'trace_search_invalid' })
    const [dataset] = (await pave.run(contract.searchEvaluationDatasets, { filter: "name = 'alpha'" })).items
    const change = {
      dataset: dataset?.dataset ?? '',
      removeExperiments: [own],
      addExperiments: [experiment],
      tags: { n: '1' },
    }
    expect(await pave.run(contract.updateEvaluationDataset, change)).toMatchObject({
      experiments: [experiment],
      tags: { team: 'a', n: '1' },
    })
    await pave.run(contract.deleteEvaluationDataset, { dataset: change.dataset })
    const gone = pave.run(contract.getEvaluationDataset, { dataset: change.dataset })
    await expect(gone).rejects.toMatchObject({ code: 'evaluation_dataset_not_found' })
  })
})

describe('scorers', () => {
  it('count their versions up under one id, also when they are registered at once', async () => {
    const register = (serialized: string) => pave.run(contract.registerScorer, { experiment, name: 'tone', serialized })
    const made = await Promise.all(['a', 'b', 'c'].map(register))
    expect(made.map((one) => one.version).sort()).toEqual([1, 2, 3])
    expect(new Set(made.map((one) => one.scorer)).size).toBe(1)
    expect((await pave.run(contract.listScorers, { experiment })).items.map((one) => one.version)).toEqual([3])
    expect((await pave.run(contract.listScorers, { experiment, name: 'tone' })).items).toHaveLength(3)
    expect(await pave.run(contract.getScorer, { experiment, name: 'tone', version: 2 })).toMatchObject({ version: 2 })
    expect(await pave.run(contract.deleteScorer, { experiment, name: 'tone', version: 3 })).toEqual({ deleted: 1 })
    expect(await pave.run(contract.getScorer, { experiment, name: 'tone' })).toMatchObject({ version: 2 })
    await pave.run(contract.deleteScorer, { experiment, name: 'tone' })
    const gone = pave.run(contract.getScorer, { experiment, name: 'tone' })
    await expect(gone).rejects.toMatchObject({ code: 'scorer_not_found' })
  })
})
