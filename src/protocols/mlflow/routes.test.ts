import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenMlflow, openMlflow, type Request } from './open-mlflow.fixture.ts'

let mlflow: OpenMlflow
beforeAll(async () => {
  mlflow = await openMlflow()
})
afterAll(() => mlflow.pave.drop())

const ask: OpenMlflow['ask'] = (url, request) => mlflow.ask(url, request)

const api = '/api/2.0/mlflow'
const proxy = '/api/2.0/mlflow-artifacts/artifacts'

async function newRun(): Promise<{ run_id: string; artifact_uri: string; path: string }> {
  const { info } = (await ask(`${api}/runs/create`, { body: { experiment_id: '0' } })).json().run
  return { ...info, path: `${proxy}/${info.artifact_uri.slice('mlflow-artifacts:/'.length)}` }
}

describe('the wire', () => {
  it('has ids as texts, 64-bit integers as numbers and NaN as a text', async () => {
    const { run_id, artifact_uri } = await newRun()
    expect(run_id).toMatch(/^[0-9a-f]{32}$/)
    expect(artifact_uri).toBe(`mlflow-artifacts:/0/${run_id}/artifacts`)
    const metric = { run_uuid: run_id, key: 'loss', value: 'NaN', timestamp: '1700000000000', step: 3 }
    expect(await ask(`/ajax-api/2.0/mlflow/runs/log-metric`, { body: metric })).toMatchObject({
      status: 200,
      text: '{}',
    })
    const { run } = (await ask(`${api}/runs/get?run_id=${run_id}`)).json()
    expect(run.data.metrics).toEqual([{ key: 'loss', value: 'NaN', timestamp: 1_700_000_000_000, step: 3 }])
    expect(run.info).toMatchObject({ experiment_id: '0', status: 'RUNNING', lifecycle_stage: 'active' })
    expect(typeof run.info.start_time).toBe('number')
  })

  it('tells runs that are searched as it tells one that is read', async () => {
    const { experiment_id } = (await ask(`${api}/experiments/create`, { body: { name: 'told twice' } })).json()
    const bare = (await ask(`${api}/runs/create`, { body: { experiment_id } })).json().run.info.run_id
    const full = (await ask(`${api}/runs/create`, { body: { experiment_id } })).json().run.info.run_id
    const odd = ['"quoted"', 'back\\slash', 'zwei\nZeilen\t', '😀 \u2028', '</script>', '']
    await ask(`${api}/runs/log-batch`, {
      body: {
        run_id: full,
        params: odd.map((value, index) => ({ key: `p/${index}`, value })),
        metrics: ['NaN', 'Infinity', '-Infinity', 0.1, -1.5e-300, 1e21, 123456789.125, 0].map((value, index) => ({
          ...{ key: `m ${index}`, value, timestamp: 1_700_000_000_000 + index, step: -index },
        })),
        tags: [{ key: 'a', value: odd.join() }],
      },
    })
    await ask(`${api}/runs/log-inputs`, {
      body: { run_id: full, datasets: [{ dataset: { name: 'd', digest: '1', source_type: 'local', source: '{}' } }] },
    })
    const found = await ask(`${api}/runs/search`, { body: { experiment_ids: [experiment_id], max_results: 5 } })
    expect(found.headers['content-type']).toBe('application/json; charset=utf-8')
    const read = async (run: string) => (await ask(`${api}/runs/get?run_id=${run}`)).json().run
    expect(found.json()).toEqual({ runs: [await read(full), await read(bare)] })
    expect(found.json().runs[0].data).toMatchObject({ params: { length: 6 }, metrics: { length: 8 } })
    expect((await ask(`${api}/runs/search`, { body: { experiment_ids: ['4711'] } })).text).toBe('{}')
  })

  it('takes a batch whole or not at all', async () => {
    const { run_id } = await newRun()
    const log = (params: object[], metrics: object[] = []) =>
      ask(`${api}/runs/log-batch`, { body: { run_id, params, metrics } })
    await log([{ key: 'a', value: '1' }])
    const refused = await log([{ key: 'a', value: '2' }], [{ key: 'm', value: 1, timestamp: 1 }])
    expect(refused).toMatchObject({ status: 400 })
    expect(refused.json()).toMatchObject({ error_code: 'INVALID_PARAMETER_VALUE' })
    expect((await ask(`${api}/runs/get?run_id=${run_id}`)).json().run.data.metrics).toBeUndefined()
    const many = Array.from({ length: 1001 }, (_, step) => ({ key: 'm', value: 1, timestamp: 1, step }))
    expect(await log([], many)).toMatchObject({ status: 400 })
  })

  it('tells its version to anybody, and errors in the words of MLflow', async () => {
    expect(await ask('/version', { as: null })).toMatchObject({ status: 200, text: expect.stringMatching(/^3\.\d+/) })
    const cases: [string, Request, number, string][] = [
      [`${api}/no/such`, {}, 404, 'ENDPOINT_NOT_FOUND'],
      ['/api/3.0/mlflow/gateway/secrets/list', {}, 404, 'ENDPOINT_NOT_FOUND'],
      [`${api}/runs/get?run_id=${'0'.repeat(32)}`, {}, 404, 'RESOURCE_DOES_NOT_EXIST'],
      [`${api}/runs/get`, {}, 400, 'INVALID_PARAMETER_VALUE'],
      [
        `${api}/experiments/create`,
        { body: { name: 'x', artifact_location: 'http:///#/../../etc' } },
        400,
        'INVALID_PARAMETER_VALUE',
      ],
      [
        `${api}/runs/create`,
        { body: '{"experiment', headers: { 'content-type': 'application/json' } },
        400,
        'BAD_REQUEST',
      ],
    ]
    for (const [url, request, status, error_code] of cases) {
      const answer = await ask(url, request)
      expect(answer, url).toMatchObject({ status })
      expect(answer.json(), url).toEqual({ error_code, message: expect.any(String) })
    }
  })
})

describe('nobody', () => {
  it('gets anything without a token, by either prefix', async () => {
    const { path } = await newRun()
    const requests: [string, Request['method']][] = [
      ['mlflow/experiments/search', 'POST'],
      ['mlflow/runs/create', 'POST'],
      ['mlflow/runs/search', 'POST'],
      ['mlflow/artifacts/list', 'GET'],
      ['mlflow/logged-models/search', 'POST'],
      ['mlflow/registered-models/search', 'GET'],
      ['mlflow/model-versions/create', 'POST'],
      ['mlflow-artifacts/artifacts?path=0', 'GET'],
      [`${path.slice('/api/2.0/'.length)}/x`, 'GET'],
      [`${path.slice('/api/2.0/'.length)}/x`, 'PUT'],
    ]
    for (const prefix of ['/api/2.0', '/ajax-api/2.0']) {
      for (const [url, method = 'GET'] of requests) {
        const answer = await ask(`${prefix}/${url}`, { method, as: null })
        expect(answer, url).toMatchObject({ status: 401 })
        expect(answer.json()).toMatchObject({ error_code: 'UNAUTHENTICATED' })
      }
    }
  })

  it('writes without the right to', async () => {
    const { run_id, path } = await newRun()
    const answers = await Promise.all([
      ask(`${path}/x`, { method: 'PUT', body: 'x', as: mlflow.viewerToken }),
      ask(`${api}/runs/set-tag`, { body: { run_id, key: 'a', value: 'b' }, as: mlflow.viewerToken }),
      ask(`${api}/registered-models/create`, { body: { name: 'm' }, as: mlflow.viewerToken }),
    ])
    expect(answers.map((answer) => answer.json().error_code)).toEqual(Array(3).fill('PERMISSION_DENIED'))
    expect(await ask(`${api}/runs/get?run_id=${run_id}`, { as: mlflow.viewerToken })).toMatchObject({ status: 200 })
  })

  it('posts from a form of another site', async () => {
    const headers = { 'content-type': 'text/plain', origin: 'https://evil.example' }
    const answer = await ask(`${api}/experiments/create`, { body: '{"name": "forged"}', headers })
    expect(answer.status).toBe(400)
  })
})

describe('artifacts', () => {
  it('come back as they went, as something to save and not to show', async () => {
    const { run_id, path } = await newRun()
    const script = '<script>alert(1)</script>'
    const put = { method: 'PUT', body: script, headers: { 'content-type': 'text/html' } } as const
    expect(await ask(`${path}/a/b%20%C3%BC.html`, put)).toMatchObject({ status: 200 })
    const got = await ask(`${path}/a/b%20%C3%BC.html`)
    expect(got.text).toBe(script)
    expect(got.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': "attachment; filename*=UTF-8''b%20%C3%BC.html",
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
    })
    const { files } = (await ask(`${proxy}?path=0/${run_id}/artifacts/a`)).json()
    expect(files).toEqual([{ path: 'b ü.html', is_dir: false, file_size: script.length }])
    const list = (await ask(`${api}/artifacts/list?run_id=${run_id}&path=a`)).json()
    expect(list.files).toEqual([{ path: 'a/b ü.html', is_dir: false, file_size: script.length }])
  })

  it('lead nowhere else', async () => {
    const { run_id, path } = await newRun()
    const paths = [
      `${path}/..%2f..%2fx`,
      `${path}/a/..%2f..%2f..%2fetc%2fpasswd`,
      `${path}/%2fetc%2fpasswd`,
      `${path}/C:%5cx`,
      `${path}/a%5c..%5cx`,
      `${path}/a%00b`,
      `${path}/a//b`,
      `${proxy}/..%2f..%2fetc%2fpasswd`,
      `${proxy}/etc/passwd`,
      `${proxy}/0/${run_id}/x`,
      `${proxy}/0/../../x`,
      `${proxy}/versions/m/1/artifacts/..%2fx`,
    ]
    for (const one of paths) {
      for (const method of ['PUT', 'GET'] as const) {
        const answer = await ask(one, { method, ...(method === 'PUT' && { body: 'x' }) })
        expect([400, 404], `${method} ${one} ${answer.text}`).toContain(answer.status)
      }
    }
    const lists = [`${proxy}?path=../..`, `${proxy}?path=/etc`, `${api}/artifacts/list?run_id=${run_id}&path=../..`]
    for (const one of lists) expect(await ask(one), one).toMatchObject({ status: 400 })
    // Encoded twice, it is a strange name and no more.
    await ask(`${path}/%252e%252e%252fx`, { method: 'PUT', body: 'strange' })
    const { files } = (await ask(`${api}/artifacts/list?run_id=${run_id}`)).json()
    expect(files).toEqual([{ path: '%2e%2e%2fx', is_dir: false, file_size: 7 }])
  })
})

describe('model versions', () => {
  it('come from models that were logged, and from nowhere else', async () => {
    const { run_id, path } = await newRun()
    await ask(`${api}/registered-models/create`, { body: { name: 'm', tags: [{ key: 'pave.tier', value: '3' }] } })
    await ask(`${path}/plain/model.onnx`, { method: 'PUT', body: 'not a graph' })
    const sources = [
      'file:///etc',
      '/etc/passwd',
      's3://bucket/../..',
      `mlflow-artifacts:/0/${run_id}/artifacts/../../x`,
      `mlflow-artifacts://evil.example/0/${run_id}/artifacts/plain`,
      `runs:/${run_id}/../../x`,
      `runs:/${run_id}/nothing`,
      `runs:/${run_id}/plain`,
      'models:/a;id',
    ]
    const tags = [{ key: 'mlflow.prompt.is_prompt', value: 'true' }]
    for (const source of sources) {
      const answer = await ask(`${api}/model-versions/create`, { body: { name: 'm', source, tags } })
      expect(answer, `${source} ${answer.text}`).toMatchObject({ status: 400 })
      expect(answer.json().error_code).toBe('INVALID_PARAMETER_VALUE')
    }
    expect((await ask(`${api}/model-versions/search?filter=name%3D'm'`)).json()).toEqual({})
  })
})
