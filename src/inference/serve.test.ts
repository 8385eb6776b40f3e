import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestBed, delays, flight, type TestBed, type TestNode, token, until } from './test-node.ts'

let bed: TestBed
let node: TestNode

beforeAll(async () => {
  bed = await createTestBed()
  const at = (time: string) => Date.parse(`2001-03-04T${time}Z`)
  await bed.putEvents('SFO', [
    { at: at('09:59:00'), values: [7] },
    { at: at('10:30:00'), values: [10] },
    { at: at('11:30:00'), values: [20] },
    { at: at('12:10:00'), values: [90] },
  ])
  bed.control.publish(bed.plan(1))
  node = await bed.start()
  await until(async () => (await node.get('/v2/health/ready')).status === 200, 'readiness')
})

afterAll(() => bed.close())

describe('the open inference protocol', () => {
  test('server, health and model metadata', async () => {
    expect((await node.get('/v2', {})).body.name).toBe('pave')
    expect((await node.get('/v2/health/live', {})).status).toBe(200)
    const { status, body } = await node.get('/v2/models/flight-delays')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      name: 'flight-delays',
      versions: ['1'],
      inputs: [
        { name: 'origin', datatype: 'BYTES', shape: [-1] },
        { name: 'distance', datatype: 'INT64', shape: [-1] },
        { name: 'at', datatype: 'BYTES', shape: [-1] },
      ],
      outputs: [{ name: 'score', datatype: 'FP32', shape: [-1] }],
    })
    expect((await node.get('/v2/models/flight-delays/ready')).body).toEqual({ name: 'flight-delays', ready: true })
    expect((await node.get('/v2/models/flight-delays/versions/1')).status).toBe(200)
    expect((await node.get('/v2/models/flight-delays/versions/9')).body.code).toBe('version_not_served')
  })

  test('a prediction from request values, online features of closed hours and an on-demand feature', async () => {
    const { status, body, headers } = await node.infer(flight({ id: 'one', distance: 100 }), {
      headers: { 'x-request-id': 'request-7' },
    })
    expect(status).toBe(200)
    // distance 100, three flights in [09:00, 12:00), their mean delay 37 / 3.
    expect(body).toMatchObject({
      model_name: 'flight-delays',
      model_version: '1',
      id: 'one',
      parameters: { variant: 'primary' },
    })
    expect(body.outputs?.[0]).toMatchObject({ name: 'score', datatype: 'FP32', shape: [1] })
    expect(body.outputs?.[0]?.data[0]).toBeCloseTo(100 + 3 * 1000 + 37 / 3, 2)
    expect(headers.get('x-request-id')).toBe('request-7')
  })

  test('rows are answered each with their own features, in order', async () => {
    const { body } = await node.infer({
      inputs: [
        { name: 'origin', datatype: 'BYTES', shape: [3, 1], data: ['SFO', 'SFO', 'SFO'] },
        { name: 'distance', datatype: 'INT32', shape: [3, 1], data: [[1], [2], [3]] },
        {
          name: 'at',
          datatype: 'BYTES',
          shape: [3],
          data: ['2001-03-04T12:00:00Z', '2001-03-04T11:00:00Z', '2001-03-04T13:00:00+01:00'],
        },
      ],
    })
    expect(body.outputs?.[0]?.shape).toEqual([3])
    expect(body.outputs?.[0]?.data[0]).toBeCloseTo(1 + 3000 + 37 / 3, 2)
    expect(body.outputs?.[0]?.data[1]).toBeCloseTo(2 + 2000 + 17 / 2, 2)
    expect(body.outputs?.[0]?.data[2]).toBeCloseTo(3 + 3000 + 37 / 3, 2)
  })

  test('a missing feature reaches the model as NaN, and an answer that is no number is an error', async () => {
    const { status, body } = await node.infer(flight({ origin: 'never seen' }))
    expect([status, body.code]).toEqual([500, 'prediction_not_finite'])
  })

  test('each answered row is recorded with what the model saw', async () => {
    await node.infer(flight({ id: 'recorded', distance: 250 }), {
      headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    })
    const found = () => bed.control.records.find(({ id }) => id === 'recorded')
    await until(() => found() !== undefined, 'the record')
    expect(found()).toMatchObject({
      row: 0,
      at: '2001-03-04T12:30:00.000Z',
      endpoint: 'flight-delays',
      variant: 'primary',
      version: 'delays@1',
      generation: 1,
      node: 'node-1',
      status: 'ok',
      errorCode: null,
      request: { origin: 'SFO', distance: 250, at: '2001-03-04T12:30:00Z' },
      features: { distance: 250, origin_flights_3h: 3, origin_mean_delay_3h: 37 / 3, distance_tenths: 25 },
      traceId: '0af7651916cd43dd8448eb211c80319c',
    })
    expect(found()?.prediction).toBeCloseTo(250 + 3000 + 37 / 3, 2)
    expect(found()?.latencyUs).toBeGreaterThan(0)
  })

  test('bodies may be compressed', async () => {
    const raw = new Uint8Array(gzipSync(JSON.stringify(flight())))
    expect((await node.infer(undefined, { raw, headers: { 'content-encoding': 'gzip' } })).status).toBe(200)
  })

  test('metrics count what was answered', async () => {
    const { body } = await node.get('/metrics', {})
    expect(body.text).toContain(
      'pave_inference_requests_total{endpoint="flight-delays",version="delays@1",variant="primary",status="ok"}',
    )
    expect(body.text).toContain('pave_inference_plan_generation 1')
  })
})

describe('requests that are refused', () => {
  const [origin, distance, at] = flight().inputs
  const bomb = () => new Uint8Array(gzipSync(Buffer.alloc(65 * 2 ** 20, 32)))

  test.each([
    ['not JSON', { raw: '{"inputs": [}' }, 400, 'malformed_body', "Unexpected token '}'"],
    ['a list', { raw: '[]' }, 400, 'inference_request_invalid', 'object'],
    ['no inputs', { raw: '{}' }, 400, 'inference_request_invalid', 'inputs'],
    ['an id that is no text', { json: { id: 7, inputs: [] } }, 400, 'inference_request_invalid', 'id'],
    ['a missing tensor', { json: { inputs: [origin, at] } }, 400, 'tensor_missing', 'distance'],
    [
      'an unknown tensor',
      { json: { inputs: [origin, distance, at, { ...origin, name: 'x' }] } },
      400,
      'tensor_unexpected',
      'x',
    ],
    ['a tensor twice', { json: { inputs: [origin, origin, distance, at] } }, 400, 'tensor_name_duplicate', 'origin'],
    [
      'another datatype',
      { json: { inputs: [origin, { ...distance, datatype: 'FP64' }, at] } },
      400,
      'tensor_unexpected',
      'distance',
    ],
    [
      'an unknown datatype',
      { json: { inputs: [origin, { ...distance, datatype: 'INT' }, at] } },
      400,
      'tensor_datatype_unknown',
      'distance',
    ],
    [
      'another shape',
      { json: { inputs: [origin, { ...distance, shape: [1, 2], data: [1, 2] }, at] } },
      400,
      'tensor_shape_mismatch',
      'distance',
    ],
    [
      'too little data',
      { json: { inputs: [origin, { ...distance, shape: [2] }, at] } },
      400,
      'tensor_shape_mismatch',
      'distance',
    ],
    [
      'different rows',
      { json: { inputs: [origin, { ...distance, shape: [2], data: [1, 2] }, at] } },
      400,
      'tensor_shape_mismatch',
      'distance',
    ],
    [
      'no rows',
      { json: { inputs: [{ ...origin, shape: [0], data: [] }, distance, at] } },
      400,
      'tensor_shape_mismatch',
      'origin',
    ],
    [
      'null',
      { json: { inputs: [origin, { ...distance, data: [null] }, at] } },
      400,
      'tensor_value_invalid',
      'distance',
    ],
    [
      'NaN',
      { raw: '{"inputs":[{"name":"distance","datatype":"INT64","shape":[1],"data":[NaN]}]}' },
      400,
      'malformed_body',
      'JSON',
    ],
    [
      'a fraction for an int',
      { json: { inputs: [origin, { ...distance, data: [1.5] }, at] } },
      400,
      'tensor_value_invalid',
      'distance',
    ],
    [
      'no timestamp',
      { json: { inputs: [origin, distance, { ...at, data: ['yesterday'] }] } },
      400,
      'tensor_value_invalid',
      'at',
    ],
    [
      'a huge text',
      { json: { inputs: [{ ...origin, data: ['x'.repeat(2000)] }, distance, at] } },
      400,
      'tensor_value_invalid',
      'origin',
    ],
    ['an unknown output', { json: { ...flight(), outputs: [{ name: 'y' }] } }, 400, 'tensor_unexpected', 'y'],
    [
      'binary tensors',
      { json: flight(), headers: { 'inference-header-content-length': '12' } },
      415,
      'unsupported_encoding',
      'binary',
    ],
    ['another encoding', { json: flight(), headers: { 'content-encoding': 'br' } }, 415, 'unsupported_encoding', 'br'],
    ['what is not gzip', { json: flight(), headers: { 'content-encoding': 'gzip' } }, 400, 'malformed_body', 'gzip'],
    ['a zip bomb', { raw: bomb(), headers: { 'content-encoding': 'gzip' } }, 413, 'body_too_large', '64 MiB'],
    ['an unknown model', { json: flight(), path: '/v2/models/nothing/infer' }, 404, 'model_not_served', 'nothing'],
    [
      'an unknown version',
      { json: flight(), path: '/v2/models/flight-delays/versions/7/infer' },
      404,
      'version_not_served',
      '7',
    ],
    ['an unknown path', { json: flight(), path: '/v2/models/flight-delays/explain' }, 404, 'not_found', 'explain'],
    ['no token', { json: flight(), headers: { authorization: '' } }, 401, 'unauthenticated', 'token'],
    ['a wrong token', { json: flight(), headers: { authorization: 'Bearer x' } }, 401, 'unauthenticated', 'token'],
  ])('%s', async (_what, { json, raw, headers = {}, path }: Case, status, code, named) => {
    const reply = await node.infer(json, {
      ...(raw !== undefined && { raw }),
      ...(path !== undefined && { path }),
      headers,
    })
    expect([reply.status, reply.body.code]).toEqual([status, code])
    expect(reply.body.error).toContain(named)
    expect(reply.body.hint).toBeTruthy()
  })

  test('too many rows', async () => {
    const inputs = flight().inputs.map((tensor) => ({
      ...tensor,
      shape: [101],
      data: new Array(101).fill(tensor.data[0]),
    }))
    expect((await node.infer({ inputs })).body.code).toBe('too_many_rows')
  })

  test('a body beyond the limit', async () => {
    const raw = new Uint8Array(65 * 2 ** 20)
    const reply = await node.infer(undefined, { raw })
    expect([reply.status, reply.body.code]).toEqual([413, 'body_too_large'])
    expect((await node.infer(flight())).status).toBe(200)
  })

  test('a path for another method', async () => {
    const reply = await node.get('/v2/models/flight-delays/infer')
    expect([reply.status, reply.body.code]).toEqual([405, 'method_not_allowed'])
  })
})

test('tokens have endpoints, an end, and can be revoked by a plan', async () => {
  const [key] = bed.plan(1).keys
  const keyed = (generation: number, change: object) =>
    bed.plan(generation, { keys: key === undefined ? [] : [{ ...key, ...change }] })
  const codeWith = async (generation: number, change: object) => {
    bed.control.publish(keyed(generation, change))
    await until(
      async () => (await node.get('/metrics')).body.text?.includes(`plan_generation ${generation}\n`) === true,
      'the plan',
    )
    return (await node.infer(flight())).body.code
  }
  expect(await codeWith(2, { endpoints: ['other'] })).toBe('permission_denied')
  expect(await codeWith(3, { endpoints: [delays.endpoint] })).toBeUndefined()
  expect(await codeWith(4, { expiresAt: '2001-01-01T00:00:00Z' })).toBe('unauthenticated')
  expect(await codeWith(5, { hash: 'f'.repeat(64) })).toBe('unauthenticated')
  expect(await codeWith(6, {})).toBeUndefined()
  expect(token).toBeTruthy()
})

interface Case {
  json?: unknown
  raw?: BodyInit
  headers?: Record<string, string>
  path?: string
}
