import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identity } from '#modules/identity/module.ts'
import { createExperiment, createTrackingRun } from '#modules/tracking/contract.ts'
import { tracking } from '#modules/tracking/module.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import * as contract from './contract.ts'
import { traces } from './module.ts'

let pave: TestPlatform
let experiment: string
let run: string

const traceId = (letter: string) => `tr-${letter.charCodeAt(0).toString(16).padStart(32, '0')}`
const letterOf = new Map([...'abcdef'].map((letter) => [traceId(letter), letter]))
const source = { type: 'code' as const, id: 'test' }

beforeAll(async () => {
  pave = await createTestPlatform({ modules: [identity, tracking, traces] })
  experiment = (await pave.run(createExperiment, { name: 'searched' })).experiment
  run = (await pave.run(createTrackingRun, { experiment })).run
  const wholes = [
    { letter: 'a', state: 'ok' as const, tags: { team: 'red', 'mlflow.traceName': 'chat' }, durationMs: 100 },
    { letter: 'b', state: 'error' as const, tags: { team: 'blue', 'mlflow.traceName': 'chat' }, durationMs: 5000 },
    { letter: 'c', state: 'ok' as const, tags: { 'mlflow.traceName': 'batch' }, durationMs: null },
    { letter: 'd', state: 'in_progress' as const, tags: { team: 'Redder' }, durationMs: 1 },
  ]
  for (const [index, { letter, ...whole }] of wholes.entries()) {
    const metadata = { user: `u${index}`, ...(letter === 'c' && { 'mlflow.sourceRun': run.replaceAll('-', '') }) }
    const given = { experiment, trace: traceId(letter), startedAt: 1000 + index, metadata, ...whole }
    await pave.run(contract.recordTrace, given)
  }
  const span = (letter: string, number: number, name: string, type: string, more: object = {}) => ({
    trace: traceId(letter),
    span: number.toString(16).padStart(16, '0'),
    parent: 'f'.repeat(16),
    name,
    start: '1000000',
    end: '2000000',
    attributes: JSON.stringify({ 'mlflow.spanType': type, ...more }),
  })
  await pave.run(contract.logSpans, {
    experiment,
    spans: [
      { ...span('a', 1, 'retrieve', 'RETRIEVER', { model: 'tiny', n: 3 }), status: 'ok' },
      { ...span('a', 2, 'generate', 'LLM', { 'mlflow.spanInputs': 'Say "hello" to 100% of them' }), status: 'error' },
      { ...span('b', 1, 'retrieve', 'RETRIEVER'), status: 'error' },
      { ...span('b', 2, 'generate', 'LLM', { model: 'huge' }), status: 'ok' },
      { ...span('d', 1, 'Retrieve more', 'TOOL'), status: 'unset' },
    ],
  })
  const assess = (letter: string, name: string, value: number | string | boolean, kind = 'feedback' as const) =>
    pave.run(contract.createAssessment, { trace: traceId(letter), name, kind, value, source })
  await assess('a', 'quality', 0.9)
  await assess('b', 'quality', 0.1)
  await assess('b', 'tone', 'kind')
  await assess('c', 'tone', true)
  await pave.run(contract.createAssessment, {
    trace: traceId('d'),
    name: 'quality',
    kind: 'expectation',
    value: 1,
    source,
  })
  await pave.run(contract.linkTraces, { run, traces: [traceId('a')] })
})
afterAll(() => pave.drop())

async function find(filter: string, more: { orderBy?: string[]; limit?: number } = {}): Promise<string> {
  const found: string[] = []
  let cursor: string | undefined
  do {
    const page = await pave.run(contract.searchTraces, { experiments: [experiment], filter, ...more, cursor })
    found.push(...page.items.map(({ trace }) => letterOf.get(trace) ?? trace))
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return found.join('')
}

describe('a filter', () => {
  it.each([
    ['', 'dcba'],
    ["status = 'OK'", 'ca'],
    ["trace.status IN ('ERROR', 'IN_PROGRESS')", 'db'],
    ["status != 'OK' AND execution_time > 10", 'b'],
    ["name = 'chat'", 'ba'],
    ["tags.`mlflow.traceName` LIKE 'ba%'", 'c'],
    ['timestamp >= 1001 AND timestamp_ms < 1003', 'cb'],
    ['end_time > 2000', 'b'],
    ["request_id = 'tr-00000000000000000000000000000061'", 'a'],
    ["tags.team = 'red' OR tags.team = 'blue'", 'ba'],
    ["tags.team ILIKE 'red%'", 'da'],
    ["tags.team != 'red'", 'db'],
    ["NOT tags.team = 'red'", 'dcb'],
    ['tags.team IS NULL', 'c'],
    ["metadata.user IN ('u0', 'u3')", 'da'],
    ["tags.team RLIKE '^[Rr]ed'", 'da'],
    ["NOT tags.team RLIKE '^[Rr]ed'", 'cb'],
    ["name RLIKE 'a' AND status = 'OK'", 'ca'],
    ["span.name = 'retrieve'", 'ba'],
    ["span.name = 'retrieve' AND span.status = 'ERROR'", 'b'],
    ["span.name = 'generate' AND (span.status = 'ERROR')", 'a'],
    ["span.type IN ('TOOL') OR span.status = 'ERROR'", 'dba'],
    ["span.name ILIKE 'retrieve%' AND NOT status = 'ERROR'", 'da'],
    ["NOT span.name = 'retrieve'", 'dc'],
    ["span.name RLIKE 'more$'", 'd'],
    ["span.attributes.model = 'tiny'", 'a'],
    ["span.attributes.model LIKE '%u%' AND span.name = 'generate'", 'b'],
    ["span.attributes.model = 'tiny' AND span.name = 'generate'", ''],
    ["span.attributes.n = '3'", 'a'],
    ["span.attributes.n != '3'", ''],
    ["NOT span.attributes.n = '3'", 'dcb'],
    ["span.content LIKE '%100\\%%'", ''],
    ["trace.text ILIKE '%HELLO%'", 'a'],
    ["text LIKE '%of them%' AND tags.team = 'red'", 'a'],
    ["text LIKE '%of them%' OR tags.team = 'blue'", 'ba'],
    ['feedback.quality > 0.5', 'a'],
    ["feedback.tone = 'kind'", 'b'],
    ["feedback.tone = 'true'", 'c'],
    ["feedback.tone RLIKE '^k'", 'b'],
    ['feedback.quality IS NOT NULL', 'ba'],
    ['feedback.quality IS NULL AND expectation.quality = 1', 'd'],
    ['run_id = RUN', 'ca'],
    ['run_id != RUN', 'db'],
  ])('%s', async (filter, expected) => {
    const written = filter.replace('RUN', `'${run.replaceAll('-', '')}'`)
    expect(await find(written)).toBe(expected)
    expect(await find(written, { limit: 1 })).toBe(expected)
  })

  it.each([
    'nothing = 1',
    "status > 'OK'",
    "span.nothing = 'x'",
    "span.attributes. = 'x'",
    "span.content = 'x'",
    "tags.team RLIKE '('",
    "tags.team RLIKE '(a)\\1'",
    "prompt = 'name'",
    "timestamp > 'yesterday'",
    'name',
    "name = 'x' name = 'y'",
  ])('that is wrong is refused: %s', async (filter) => {
    await expect(find(filter)).rejects.toMatchObject({ code: 'trace_search_invalid' })
  })
})

describe('an order', () => {
  it.each([
    [['timestamp ASC'], 'abcd'],
    [['execution_time DESC'], 'badc'],
    [['execution_time'], 'dabc'],
    [['name', 'timestamp ASC'], 'cabd'],
    [['tags.team DESC'], 'abdc'],
    [['metadata.user'], 'abcd'],
    [['status'], 'bdca'],
  ])('%s', async (orderBy, expected) => {
    expect(await find('', { orderBy })).toBe(expected)
    expect(await find('', { orderBy, limit: 1 })).toBe(expected)
    expect(await find("tags.team RLIKE '.*' OR timestamp > 0", { orderBy, limit: 3 })).toBe(expected)
  })

  it('by what cannot be ordered by is refused', async () => {
    for (const term of ['span.name', 'feedback.quality DESC', 'text', 'name SIDEWAYS']) {
      await expect(find('', { orderBy: [term] }), term).rejects.toMatchObject({ code: 'trace_search_invalid' })
    }
  })
})
