import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nested } from '#algorithms/otlp/encode.fixture.ts'
import { largestSpans } from '#modules/traces/contract.ts'
import { type OpenMlflow, openMlflow, type Request } from './open-mlflow.fixture.ts'

let mlflow: OpenMlflow
beforeAll(async () => {
  mlflow = await openMlflow()
})
afterAll(() => mlflow.pave.drop())

const ask: OpenMlflow['ask'] = (url, request) => mlflow.ask(url, request)

const api = '/api/3.0/mlflow'
const hex = 'ab'.repeat(16)
const trace = `tr-${hex}`

const spansJson = (traceId = hex) => ({
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'assistant' } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId,
              spanId: '1'.repeat(16),
              name: 'root',
              startTimeUnixNano: '1700000000000000000',
              endTimeUnixNano: '1700000000250000000',
              attributes: [
                { key: 'n', value: { intValue: '9007199254740993' } },
                { key: 'd', value: { doubleValue: 2 } },
              ],
            },
          ],
        },
      ],
    },
  ],
})

const otlp = (body: object | string, headers: Record<string, string> = {}, more: Request = {}) =>
  ask('/v1/traces', {
    body: Buffer.isBuffer(body) ? body : typeof body === 'string' ? Buffer.from(body) : JSON.stringify(body),
    headers: { 'content-type': 'application/json', 'x-mlflow-experiment-id': '0', ...headers },
    ...more,
  })

const protobuf = { 'content-type': 'application/x-protobuf' }

describe('OTLP', () => {
  it('is taken as bytes and as JSON, packed or not, and answered in kind', async () => {
    const bytes = Buffer.from(nested(3))
    expect(await otlp(bytes, protobuf)).toMatchObject({
      status: 200,
      text: '',
      headers: { 'content-type': 'application/x-protobuf' },
    })
    expect(await otlp(gzipSync(bytes), { ...protobuf, 'content-encoding': 'gzip' })).toMatchObject({ status: 200 })
    expect(await otlp(spansJson())).toMatchObject({ status: 200, text: '{}' })
    const { trace_info, spans } = (await ask(`${api}/traces/get?trace_id=${trace}`)).json().trace
    expect(trace_info).toMatchObject({
      trace_id: trace,
      state: 'OK',
      request_time: '2023-11-14T22:13:20Z',
      execution_duration: '0.250s',
      tags: { 'service.name': 'assistant', 'mlflow.traceName': 'root', 'mlflow.trace.spansLocation': 'TRACKING_STORE' },
    })
    expect(spans).toMatchObject([
      {
        trace_id: Buffer.from(hex, 'hex').toString('base64'),
        start_time_unix_nano: '1700000000000000000',
        attributes: [
          { key: 'n', value: { int_value: '9007199254740993' } },
          { key: 'd', value: { double_value: 2 } },
        ],
      },
    ])
  })

  it('that cannot be read is refused in one line, whatever is wrong with it', async () => {
    const bomb = gzipSync(Buffer.alloc(largestSpans + 1))
    const attempts: Record<string, ReturnType<typeof ask>> = {
      'cut short': otlp(Buffer.from(nested(3)).subarray(0, 40), protobuf),
      'other bytes': otlp(Buffer.from('this is no message'), protobuf),
      'too deep': otlp(Buffer.from(nested(500)), protobuf),
      'no JSON': otlp('{"resourceSpans":', {}),
      'no list': otlp({ resourceSpans: 'x' }),
      'no spans': otlp({}),
      'an id that is a path': otlp(spansJson('../../etc/passwd')),
      'a zero id': otlp(spansJson('0'.repeat(32))),
      'another type': otlp('x', { 'content-type': 'text/plain' }),
      'not packed': otlp('x', { ...protobuf, 'content-encoding': 'gzip' }),
      'unknown packing': otlp('x', { ...protobuf, 'content-encoding': 'br' }),
      'far larger unpacked': otlp(bomb, { ...protobuf, 'content-encoding': 'gzip' }),
      'no experiment': otlp(spansJson(), { 'x-mlflow-experiment-id': '' }),
    }
    for (const [what, attempt] of Object.entries(attempts)) {
      const { status, text, json } = await attempt
      expect([what, status, json().error_code]).toEqual([what, 400, 'BAD_REQUEST'])
      expect(text, what).not.toMatch(/ at .*:\d+|select |insert /)
    }
    expect(await otlp(spansJson(), { 'x-mlflow-experiment-id': '777' })).toMatchObject({ status: 404 })
    expect(await otlp(spansJson(), { 'x-mlflow-experiment-id': '../0' })).toMatchObject({ status: 400 })
  })

  it('needs somebody who may', async () => {
    expect(await otlp(spansJson(), {}, { as: null })).toMatchObject({ status: 401 })
    expect(await otlp(spansJson(), {}, { as: mlflow.viewerToken })).toMatchObject({ status: 403 })
  })
})

describe('a trace id', () => {
  const info = (trace_id: string) => ({
    trace: {
      trace_info: {
        trace_id,
        trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: '0' } },
        request_time: '2024-01-01T00:00:00Z',
        state: 'OK',
      },
    },
  })

  it('is never a path', async () => {
    for (const id of ['../../x', '..%2f..%2fx', '/etc/passwd', 'tr-../../x', 'C:\\x', '', 'tr-', `${trace}/..`]) {
      expect(await ask(`${api}/traces`, { body: info(id) }), id).toMatchObject({ status: 400 })
      const assessment = { assessment_name: 'x', feedback: { value: 1 }, source: { source_type: 'CODE' } }
      const path = encodeURIComponent(encodeURIComponent(id))
      for (const prefix of [api, `/ajax-api/3.0/mlflow`]) {
        const answer = await ask(`${prefix}/traces/${path}/assessments`, { body: { assessment } })
        expect([400, 404], id).toContain(answer.status)
      }
    }
  })

  it('of a trace that is not there is told as the client expects it', async () => {
    const missing = `tr-${'9'.repeat(32)}`
    for (const path of [
      `traces/${missing}`,
      `traces/get?trace_id=${missing}`,
      `traces/${missing}/assessments/a-${'0'.repeat(32)}`,
    ]) {
      expect((await ask(`${api}/${path}`)).json().error_code).toBe('RESOURCE_DOES_NOT_EXIST')
    }
    expect((await ask(`${api}/traces/metrics`, { body: {} })).json().error_code).toBe('ENDPOINT_NOT_FOUND')
  })
})

describe('clients before MLflow 3', () => {
  it('begin and end a trace, tag it, find it and delete it', async () => {
    const old = '/api/2.0/mlflow/traces'
    const labels = (key: string) => [{ key, value: '1' }]
    const begun = (
      await ask(old, {
        body: { experiment_id: '0', timestamp_ms: 1000, request_metadata: labels('m'), tags: labels('t') },
      })
    ).json().trace_info
    expect(begun).toMatchObject({ status: 'IN_PROGRESS', timestamp_ms: 1000 })
    const body = { timestamp_ms: 1500, status: 'OK', request_metadata: labels('n'), tags: [] }
    const ended = await ask(`${old}/${begun.request_id}`, { method: 'PATCH', body })
    expect(ended.json().trace_info).toMatchObject({ status: 'OK', execution_time_ms: 500 })
    await ask(`${old}/${begun.request_id}/tags`, { method: 'PATCH', body: { key: 'more', value: 'yes' } })
    await ask(`${old}/${begun.request_id}/tags`, { method: 'DELETE', body: { key: 't' } })
    const { trace_info } = (await ask(`${old}/${begun.request_id}/info`)).json()
    expect(trace_info.tags).toContainEqual({ key: 'more', value: 'yes' })
    expect(trace_info.tags.map((one: { key: string }) => one.key)).not.toContain('t')
    const found = (await ask(`${old}?experiment_ids=0&filter=${encodeURIComponent("tags.more = 'yes'")}`)).json()
    expect(found.traces).toEqual([trace_info])
    const removal = { experiment_id: '0', request_ids: [begun.request_id] }
    expect((await ask(`${old}/delete-traces`, { body: removal })).json()).toEqual({ traces_deleted: 1 })
  })
})

it('a viewer reads and changes nothing', async () => {
  await otlp(spansJson())
  expect(await ask(`${api}/traces/${trace}`, { as: mlflow.viewerToken })).toMatchObject({ status: 200 })
  const changes: [string, Request][] = [
    [`${api}/traces/${trace}/tags`, { method: 'PATCH', body: { key: 'a', value: 'b' } }],
    [`${api}/traces/delete-traces`, { body: { experiment_id: '0', request_ids: [trace] } }],
    [`${api}/traces/link-to-run`, { body: { trace_ids: [trace], run_id: mlflow.pave.platform.ids.next() } }],
    [`${api}/traces/${trace}/assessments`, { body: { assessment: { assessment_name: 'x', feedback: { value: 1 } } } }],
    [`${api}/datasets/create`, { body: { name: 'x' } }],
    [`${api}/scorers/register`, { body: { experiment_id: '0', name: 'x', serialized_scorer: '{}' } }],
  ]
  for (const [url, request] of changes) {
    expect((await ask(url, { ...request, as: mlflow.viewerToken })).status, url).toBe(403)
    expect((await ask(url, { ...request, as: null })).status, url).toBe(401)
  }
})
