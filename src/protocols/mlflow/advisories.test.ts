import { once } from 'node:events'
import { request } from 'node:http'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkspace } from '#modules/identity/contract.ts'
import { systemActor } from '#platform/actor.ts'
import { type OpenMlflow, openMlflow } from './open-mlflow.fixture.ts'

/** What was found wrong with MLflow's server over the years, tried on ours by either prefix. */

let mlflow: OpenMlflow
beforeAll(async () => {
  mlflow = await openMlflow()
})
afterAll(() => mlflow.pave.drop())

const ask: OpenMlflow['ask'] = (url, request) => mlflow.ask(url, request)

const prefixes = ['/api/2.0', '/ajax-api/2.0']
/** What clients ask before they sign in. */
const open = /\/server-info$/

async function newRun(): Promise<{ run: string; files: string }> {
  const { info } = (await ask('/api/2.0/mlflow/runs/create', { body: { experiment_id: '0' } })).json().run
  return { run: info.run_id, files: `mlflow-artifacts/artifacts/0/${info.run_id}/artifacts` }
}

describe('credentials', () => {
  it('are asked for on every route, whatever its prefix', async () => {
    const ours = mlflow.routes.filter(({ url }) => !open.test(url))
    expect(ours.length).toBeGreaterThan(200)
    const answered: string[] = []
    for (const { method, url } of ours) {
      const { status } = await ask(url.replaceAll(/:[a-z_]+/g, 'x').replace(/\/?\*/, '/x'), {
        method,
        as: null,
        ...(method !== 'GET' && { body: {} }),
      })
      if (status !== 401) answered.push(`${method} ${url} ${status}`)
    }
    expect(answered).toEqual([])
  })

  it('of a reader write and delete nothing', async () => {
    const { run, files } = await newRun()
    await ask('/api/2.0/mlflow/registered-models/create', { body: { name: 'kept' } })
    const { model_id } = (
      await ask('/api/2.0/mlflow/logged-models', { body: { experiment_id: '0', name: 'kept' } })
    ).json().model.info
    for (const prefix of prefixes) {
      const requests: [string, string, unknown?][] = [
        ['PUT', `${files}/x`, 'x'],
        ['DELETE', `${files}/x`],
        ['POST', `${files.replace('/artifacts/', '/mpu/create/')}`, { path: 'x', num_parts: 1 }],
        ['POST', `${files.replace('/artifacts/', '/mpu/complete/')}`, { path: 'x', parts: [] }],
        ['PUT', 'mlflow-artifacts/mpu/part/1/1', 'x'],
        ['POST', `mlflow/upload-artifact?run_uuid=${run}&path=x`, 'x'],
        ['DELETE', `mlflow/logged-models/${model_id}`],
        ['POST', 'mlflow/registered-models/set-tag', { name: 'kept', key: 'a', value: 'b' }],
        ['POST', 'mlflow/registered-models/rename', { name: 'kept', new_name: 'other' }],
        ['DELETE', 'mlflow/registered-models/delete?name=kept'],
        ['POST', 'mlflow/runs/log-model', logModel(run)],
        ['POST', 'mlflow/users/create', { username: 'eve' }],
        ['PATCH', 'mlflow/users/update-admin', { username: 'vera', is_admin: true }],
        ['POST', '../3.0/mlflow/roles/assign', { username: 'vera', role_id: 5 }],
      ]
      for (const [method, url, body] of requests) {
        const answer = await ask(`${prefix}/${url}`, {
          method,
          as: mlflow.viewerToken,
          ...(body !== undefined && { body }),
        })
        expect(`${method} ${url} ${answer.json().error_code}`).toBe(`${method} ${url} PERMISSION_DENIED`)
      }
    }
  })
})

function logModel(run_id: string) {
  const model = { artifact_path: 'model', flavors: {}, utc_time_created: '2026-01-01 00:00:00', run_id }
  return { run_id, model_json: JSON.stringify(model) }
}

describe('a workspace', () => {
  const names = ['other', 'nobodys', 'TEST', 'test, other', 'other, test', 'te%73t', '../test', 'x'.repeat(10_000)]

  beforeAll(async () => {
    const { platform } = mlflow.pave
    await platform.run(createWorkspace, { actor: systemActor(platform.ids.next()), input: { name: 'other' } })
  })

  it.each(names)('that the token is not of is not told apart from none: %s', async (name) => {
    const { run, files } = await newRun()
    const paths = [
      `/api/2.0/mlflow/runs/get?run_id=${run}`,
      `/get-artifact?run_id=${run}&path=x`,
      `/ajax-api/2.0/mlflow/get-artifact?run_id=${run}&path=x`,
      `/api/2.0/${files}/x`,
      '/api/3.0/mlflow/workspaces',
    ]
    for (const url of paths) {
      const answer = await ask(url, { headers: { 'x-mlflow-workspace': name } })
      expect(answer.status, url).toBe(404)
      expect(answer.json().error_code).toBe('RESOURCE_DOES_NOT_EXIST')
      expect(answer.json().message.replace(name.slice(0, 100), '…')).toBe(unknownWorkspace)
    }
    const spans = await ask('/v1/traces', {
      body: { resourceSpans: [] },
      headers: { 'x-mlflow-workspace': name, 'x-mlflow-experiment-id': '0' },
    })
    expect(spans.status).toBe(404)
    const one = await ask(`/api/3.0/mlflow/workspaces/${encodeURIComponent(name.slice(0, 90))}`)
    expect(one).toMatchObject({ status: 404 })
  })

  it('of the token is entered, by its name alone', async () => {
    const { run } = await newRun()
    for (const name of ['test', '']) {
      const answer = await ask(`/api/2.0/mlflow/runs/get?run_id=${run}`, { headers: { 'x-mlflow-workspace': name } })
      expect(answer.status).toBe(200)
    }
    const asked = await ask(`/api/2.0/mlflow/runs/get?run_id=${run}&workspace=other`)
    expect(asked.json().run.info.run_id).toBe(run)
    expect((await ask('/api/3.0/mlflow/workspaces')).json()).toEqual({ workspaces: [{ name: 'test' }] })
  })
})

const unknownWorkspace =
  "Workspace '…' not found. Your token is of another workspace: set MLFLOW_TRACKING_TOKEN to one of this workspace, or leave the workspace out."

const escapes = [
  '../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '%2e%2e/%2e%2e/etc/passwd',
  '%2fetc%2fpasswd',
  'C:%5cwindows',
  '..%5c..%5cx',
  'a/%00',
  'a//b',
]

describe('paths', () => {
  it.each(escapes)('%s leads nowhere', async (path) => {
    const { run, files } = await newRun()
    for (const prefix of prefixes) {
      const requests: [string, string, unknown?][] = [
        ['GET', `${prefix}/${files}/${path}`],
        ['PUT', `${prefix}/${files}/${path}`, 'x'],
        ['DELETE', `${prefix}/${files}/${path}`],
        ['POST', `${prefix}/${files.replace('/artifacts/', '/mpu/create/')}/${path}`, { path: 'x' }],
        ['GET', `/get-artifact?run_uuid=${run}&path=${path}`],
        ['GET', `/model-versions/get-artifact?name=m&version=1&path=${path}`],
        ['POST', `${prefix}/mlflow/upload-artifact?run_uuid=${run}&path=${path}`, 'x'],
        ['GET', `${prefix}/mlflow/artifacts/list?run_id=${run}&path=${path}`],
      ]
      for (const [method, url, body] of requests) {
        const { status, text } = await ask(url, { method, ...(body !== undefined && { body }) })
        expect([400, 401, 404, 415], `${method} ${url} ${status} ${text}`).toContain(status)
        expect(text).not.toContain('root:')
      }
    }
    expect((await ask(`/api/2.0/mlflow/artifacts/list?run_id=${run}`)).json().files).toBeUndefined()
  })

  it('encoded twice are strange names and no more', async () => {
    const { run, files } = await newRun()
    await ask(`/api/2.0/${files}/%252e%252e%252fx`, { method: 'PUT', body: 'strange' })
    expect((await ask(`/api/2.0/${files}/%252e%252e%252fx`)).text).toBe('strange')
    await ask(`/api/2.0/${files}/%252e%252e%252fx`, { method: 'DELETE' })
    expect((await ask(`/api/2.0/mlflow/artifacts/list?run_id=${run}`)).json().files).toBeUndefined()
  })

  it.each(['http:///#/../../etc', 's3://bucket/x;/../', 'file:///etc?../..', 'mlflow-artifacts:/../..', 'runs:/x'])(
    'an experiment cannot be told to keep its files at %s',
    async (artifact_location) => {
      const answer = await ask('/api/2.0/mlflow/experiments/create', {
        body: { name: artifact_location, artifact_location },
      })
      expect(answer.status).toBe(400)
    },
  )
})

describe('sources of versions', () => {
  it('are files that were logged, whatever the tags say', async () => {
    const { run } = await newRun()
    await ask('/api/2.0/mlflow/registered-models/create', { body: { name: 'sourced' } })
    const sources = [
      'file:///etc',
      '/etc/passwd',
      's3://bucket/../..',
      '\\..\\',
      'models:/a;id',
      `mlflow-artifacts://evil.example/0/${run}/artifacts/x`,
      `mlflow-artifacts:/0/${run}/artifacts/../../x`,
      `runs:/${run}/../../x`,
      `runs:/${'0'.repeat(12)}7${'0'.repeat(3)}8${'0'.repeat(15)}/model`,
      `models:/m-${'0'.repeat(32)}`,
    ]
    for (const tags of [[], [{ key: 'mlflow.prompt.is_prompt', value: 'true' }]]) {
      for (const source of sources) {
        const answer = await ask('/api/2.0/mlflow/model-versions/create', { body: { name: 'sourced', source, tags } })
        expect([400, 404], `${source} ${answer.text}`).toContain(answer.status)
      }
    }
    expect((await ask("/api/2.0/mlflow/model-versions/search?filter=name%3D'sourced'")).json()).toEqual({})
  })
})

describe('other sites', () => {
  it.each([
    ['text/plain', '{"name": "forged"}'],
    ['application/x-www-form-urlencoded', 'name=forged'],
    ['multipart/form-data; boundary=x', '--x--'],
  ])('cannot send %s', async (type, body) => {
    const headers = { 'content-type': type, origin: 'https://evil.example' }
    for (const prefix of prefixes) {
      for (const path of ['experiments/create', 'users/create']) {
        const answer = await ask(`${prefix}/mlflow/${path}`, { body, headers })
        expect(answer.status).toBe(400)
        expect(answer.json().error_code).toBe('BAD_REQUEST')
      }
    }
    const { items } = (await ask('/api/2.0/mlflow/experiments/get-by-name?experiment_name=forged')).json()
    expect(items).toBeUndefined()
  })

  it('cannot use the session of a reader, under their own name or ours', async () => {
    for (const headers of [
      { origin: 'https://evil.example' },
      { host: 'evil.example' },
      { origin: 'http://evil.example', host: 'evil.example' },
    ]) {
      const answer = await ask('/ajax-api/2.0/mlflow/experiments/create', {
        body: { name: 'forged' },
        headers: { cookie: `pave_session=${mlflow.token}`, ...headers },
        as: null,
      })
      expect(answer.status).toBe(403)
      expect(answer.json().error_code).toBe('PERMISSION_DENIED')
    }
  })
})

describe('too much', () => {
  it.each([
    ['a name of 10 MB', 'experiments/create', { name: 'x'.repeat(10_000_000) }],
    ['a model name of 10 MB', 'registered-models/create', { name: 'x'.repeat(10_000_000) }],
    ['100,000 tags', 'experiments/create', { name: 'tagged', tags: many(100_000) }],
    ['100,000 tags of a model', 'registered-models/create', { name: 'tagged', tags: many(100_000) }],
    ['a tag of 10 MB', 'registered-models/create', { name: 't', tags: [{ key: 'k', value: 'x'.repeat(10_000_000) }] }],
    ['101 parameters', 'runs/log-batch', { run_id: '0'.repeat(32), params: many(101) }],
    ['a user name of 10 MB', 'users/create', { username: 'x'.repeat(10_000_000) }],
    ['a model of 10 MB', 'runs/log-model', { run_id: '0'.repeat(32), model_json: `"${'x'.repeat(10_000_000)}"` }],
    ['a billion points', 'runs/search', { experiment_ids: ['0'], max_results: 1_000_000_000 }],
  ])('%s is refused in a few words', async (_, path, body) => {
    const answer = await ask(`/api/2.0/mlflow/${path}`, { body })
    expect([400, 404]).toContain(answer.status)
    expect(answer.text.length).toBeLessThan(8000)
  })

  it('a body beyond the limit is refused', async () => {
    const answer = await ask('/api/2.0/mlflow/experiments/create', { body: { name: 'x'.repeat(17_000_000) } })
    expect(answer.status).toBe(400)
  })
})

function many(count: number) {
  return Array.from({ length: count }, (_, index) => ({ key: `key ${index}`, value: 'x' }))
}

describe('answers', () => {
  it.each([
    ['half a document', '{"experiment_ids": ["0"'],
    ['a number', '7'],
    ['a list', '[]'],
    ['a quote in a filter', '{"experiment_ids": ["0"], "filter": "name = \'"}'],
    ['SQL in a filter', '{"experiment_ids": ["0"], "filter": "params.a = \'x\'; drop table run"}'],
    ['SQL in an order', '{"experiment_ids": ["0"], "order_by": ["1; select pg_sleep(9)"]}'],
    ['a zero byte', '{"experiment_ids": ["0"], "filter": "name = \'\\u0000\'"}'],
  ])('to %s tell neither SQL nor where it broke', async (_, body) => {
    const answer = await ask('/api/2.0/mlflow/runs/search', { body, headers: { 'content-type': 'application/json' } })
    expect(answer.status).toBeLessThan(500)
    expect(answer.text).not.toMatch(/select .* from|tracking\.|\.ts:|at async|node_modules/)
  })

  it.each([
    ['page.html', '<script>alert(1)</script>'],
    ['image.svg', '<svg onload="alert(1)"/>'],
    ['MLmodel', '!!js/function "function(){}"'],
  ])('hand out %s to keep and not to run', async (name, content) => {
    const { run, files } = await newRun()
    await ask(`/api/2.0/${files}/${name}`, { method: 'PUT', body: content, headers: { 'content-type': 'text/html' } })
    for (const url of [`/api/2.0/${files}/${name}`, `/get-artifact?run_uuid=${run}&path=${name}`]) {
      const answer = await ask(url)
      expect(answer.text).toBe(content)
      expect(answer.headers).toMatchObject({
        'content-type': 'application/octet-stream',
        'content-disposition': expect.stringMatching(/^attachment/),
        'content-security-policy': expect.stringContaining('sandbox'),
        'x-content-type-options': 'nosniff',
      })
    }
  })

  it('do not repeat the content type of the request', async () => {
    const headers = { 'content-type': '<script>alert(1)</script>' }
    const answer = await ask('/api/2.0/mlflow/experiments/create', { body: 'x', headers })
    expect(answer.status).toBe(400)
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
  })
})

describe('files', () => {
  it('come in parts when parts are asked for', async () => {
    const { files } = await newRun()
    const url = `/api/2.0/${files}/digits`
    await ask(url, { method: 'PUT', body: '0123456789' })
    const ranges: [string, number, string, string?][] = [
      ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
      ['bytes=7-', 206, '789', 'bytes 7-9/10'],
      ['bytes=-2', 206, '89', 'bytes 8-9/10'],
      ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
      ['bytes=10-', 416, '', 'bytes */10'],
      ['bytes=-0', 416, '', 'bytes */10'],
      ['bytes=3-1', 200, '0123456789'],
      ['lines=1-2', 200, '0123456789'],
    ]
    for (const [range, status, text, contentRange] of ranges) {
      const answer = await ask(url, { headers: { range } })
      expect([range, answer.status, answer.text, answer.headers['content-range']]).toEqual([
        range,
        status,
        text,
        contentRange,
      ])
    }
    const { headers } = await ask(url)
    expect((await ask(url, { headers: { range: 'bytes=0-0', 'if-range': '"other"' } })).status).toBe(200)
    expect((await ask(url, { headers: { range: 'bytes=0-0', 'if-range': String(headers['etag']) } })).status).toBe(206)
  })

  it('come as one from parts that the workspace has, and from no others', async () => {
    const { run, files } = await newRun()
    const mpu = (step: string) =>
      `/api/2.0/${files.replace('mlflow-artifacts/artifacts', `mlflow-artifacts/mpu/${step}`)}`
    const created = (await ask(mpu('create'), { body: { path: '/home/ada/all.bin', num_parts: 2 } })).json()
    expect(created.credentials).toHaveLength(2)
    const parts: { part_number: number; etag: string }[] = []
    for (const [index, content] of ['first ', 'second'].entries()) {
      const { url, headers } = created.credentials[index]
      const answer = await ask(new URL(url).pathname, { method: 'PUT', body: content, headers, as: null })
      parts.push({ part_number: index + 1, etag: String(answer.headers['etag']) })
    }
    const complete = (given: object[]) => ask(mpu('complete'), { body: { path: '/home/ada/all.bin', parts: given } })
    expect((await complete(parts.slice(1))).status).toBe(400)
    const theirs = await mlflow.pave.platform.services.objects.put('of nobody here')
    expect((await complete([{ part_number: 1, etag: theirs.digest }])).status).toBe(400)
    expect((await complete(parts.toReversed())).status).toBe(200)
    expect((await ask(`/get-artifact?run_id=${run}&path=all.bin`)).text).toBe('first second')
  })

  it('stream through: memory stays far below their size', { timeout: 120_000 }, async () => {
    const { files } = await newRun()
    const address = await mlflow.pave.controlPlane.http.listen({ host: '127.0.0.1', port: 0 })
    const chunk = Buffer.alloc(1024 * 1024, 7)
    const chunks = 300
    let most = 0
    const before = memory()
    const measured = (source: Iterable<Buffer>) =>
      Readable.from(
        (function* () {
          for (const one of source) {
            most = Math.max(most, memory() - before)
            yield one
          }
        })(),
      )
    const authorization = `Bearer ${mlflow.token}`
    const put = request(`${address}/api/2.0/${files}/large`, { method: 'PUT', headers: { authorization } })
    measured(Array.from({ length: chunks }, () => chunk)).pipe(put)
    const [answer] = await once(put, 'response')
    expect(answer.statusCode).toBe(200)
    answer.resume()
    const got = await fetch(`${address}/api/2.0/${files}/large`, { headers: { authorization } })
    let size = 0
    for await (const part of got.body ?? []) {
      size += part.length
      most = Math.max(most, memory() - before)
    }
    expect(size).toBe(chunks * chunk.length)
    expect(most).toBeLessThan(120 * 1024 ** 2)
  })
})

/** Buffers of this process, where both ends run. */
function memory(): number {
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return arrayBuffers + heapUsed
}
