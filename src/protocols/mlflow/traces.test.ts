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

describe('attachments', () => {
  const id = '01a20000-0000-7000-8000-000000000001'
  const another = `tr-${'cd'.repeat(16)}`
  const info = {
    trace_id: another,
    trace_location: { mlflow_experiment: { experiment_id: '0' } },
    request_time: '2026-01-01T00:00:00Z',
  }
  const folder = `mlflow-artifacts/artifacts/0/traces/${another}/artifacts`

  it('are kept where the trace says, and come back to be saved and not shown', async () => {
    const { trace } = (await ask(`${api}/traces`, { body: { trace: { trace_info: info } } })).json()
    expect(trace.trace_info.tags['mlflow.artifactLocation']).toBe(`mlflow-artifacts:/0/traces/${another}/artifacts`)
    const put = { method: 'PUT', body: '<svg/>', headers: { 'content-type': 'image/svg+xml' } }
    expect(await ask(`/api/2.0/${folder}/attachments/${id}`, put)).toMatchObject({ status: 200 })
    const places = [
      `/api/2.0/${folder}/attachments/${id}`,
      `/ajax-api/2.0/mlflow/get-trace-artifact?request_id=${another}&path=${id}`,
      `/ajax-api/3.0/mlflow/get-trace-artifact?request_id=${another}&path=${id}`,
    ]
    for (const place of places) {
      expect(await ask(place), place).toMatchObject({
        status: 200,
        text: '<svg/>',
        headers: { 'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff' },
      })
    }
    expect(await ask(`/api/2.0/${folder}/attachments/${id}`, { ...put, as: mlflow.viewerToken })).toMatchObject({
      status: 403,
    })
    const source = `mlflow-artifacts:/0/traces/${another}/artifacts/attachments`
    await ask('/api/2.0/mlflow/registered-models/create', { body: { name: 'attached' } })
    const version = await ask('/api/2.0/mlflow/model-versions/create', { body: { name: 'attached', source } })
    expect(version.json().error_code).toBe('INVALID_PARAMETER_VALUE')
    const removal = { body: { experiment_id: '0', request_ids: [another] } }
    expect((await ask(`${api}/traces/delete-traces`, removal)).json()).toEqual({ traces_deleted: 1 })
    for (const place of places) expect(await ask(place), place).toMatchObject({ status: 404 })
  })

  it('are files of a trace that is there, under a uuid', async () => {
    const names = ['x', 'traces.json', 'attachments/x', 'attachments/..%2f..%2fx', `attachments/${id}/x`]
    const paths = [
      ...names.map((name) => `${folder}/${name}`),
      `mlflow-artifacts/artifacts/0/traces/tr-..%2f..%2fx/artifacts/attachments/${id}`,
      `mlflow-artifacts/artifacts/0/traces/tr-${'0'.repeat(32)}/artifacts/attachments/${id}`,
    ]
    for (const path of paths) {
      for (const method of ['PUT', 'GET', 'DELETE']) {
        const answer = await ask(`/api/2.0/${path}`, { method, ...(method === 'PUT' && { body: 'x' }) })
        expect([400, 404], `${method} ${path} ${answer.text}`).toContain(answer.status)
      }
    }
    for (const path of ['../../etc/passwd', '..%2fx', '']) {
      const url = `/ajax-api/2.0/mlflow/get-trace-artifact?request_id=${another}&path=${path}`
      expect((await ask(url)).json().error_code).toBe('INVALID_PARAMETER_VALUE')
    }
  })
})

it('two filters are compared by how often both find a trace', async () => {
  const made = ['OK', 'ERROR', 'ERROR', 'OK'].map((state, index) => ({
    trace_id: `tr-${String(index + 1).repeat(32)}`,
    trace_location: { mlflow_experiment: { experiment_id: '0' } },
    request_time: '2026-01-01T00:00:00Z',
    state,
    tags: { correlated: state === 'ERROR' || index === 3 ? 'yes' : 'no' },
  }))
  for (const trace_info of made) await ask(`${api}/traces`, { body: { trace: { trace_info } } })
  const compare = (filter_string1: string, filter_string2: string) =>
    ask(`${api}/traces/calculate-filter-correlation`, {
      body: { experiment_ids: ['0'], filter_string1, filter_string2, base_filter: "tags.correlated LIKE '%'" },
    })
  const found = (await compare("status = 'ERROR'", "tags.correlated = 'yes'")).json()
  expect(found).toMatchObject({ total_count: 4, filter1_count: 2, filter2_count: 3, joint_count: 2 })
  // ln(p(both) / (p(one) p(two))) / -ln p(both), with p = 2/4, 3/4 and 2/4.
  expect(found.npmi).toBeCloseTo(Math.log(0.5 / (0.5 * 0.75)) / -Math.log(0.5), 12)
  expect((await compare("status = 'ERROR'", "tags.correlated = 'no'")).json()).toMatchObject({ npmi: -1 })
  expect((await compare("status = 'ERROR'", "tags.correlated = 'none'")).json()).toEqual({
    total_count: 4,
    filter1_count: 2,
    filter2_count: 0,
    joint_count: 0,
  })
  expect((await compare("status = 'ERROR'", "span.attributes.x = 'y'")).json().error_code).toBe(
    'INVALID_PARAMETER_VALUE',
  )
})
