import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenMlflow, openMlflow } from './open-mlflow.fixture.ts'
import { protocol } from './protocol.ts'

let mlflow: OpenMlflow
beforeAll(async () => {
  mlflow = await openMlflow()
})
afterAll(() => mlflow.pave.drop())

const prefixesOf = (path: string) => (path.startsWith('/api/') ? [path, path.replace('/api/', '/ajax-api/')] : [path])

const endpoints = protocol.flatMap(({ paths, refused }) =>
  paths.flatMap((one) => {
    const [method = '', path = ''] = one.split(' ')
    return prefixesOf(path).map((url) => ({ method, url, refused }))
  }),
)

describe('every endpoint of MLflow', () => {
  it('is answered, or refused with the error that makes clients do without', async () => {
    const otherwise: string[] = []
    for (const { method, url, refused } of endpoints) {
      const asked = url.replace('{workspace_name}', 'test').replaceAll(/\{[a-z_]+\}/g, 'x')
      const answer = await mlflow.ask(asked, { method, ...(method !== 'GET' && { body: required }) })
      const code: unknown = /^\{/.test(answer.text) ? answer.json().error_code : undefined
      const found = code !== 'ENDPOINT_NOT_FOUND' && code !== 'NOT_IMPLEMENTED' && answer.status < 500
      if (refused === undefined ? !found || answer.status === 405 : code !== refused.code) {
        otherwise.push(`${method} ${url}: ${answer.status} ${answer.text.slice(0, 100)}`)
      }
    }
    expect(otherwise).toEqual([])
  })

  it('is in the list, and nothing is there that MLflow has not', () => {
    const named = new Set(endpoints.flatMap(({ method, url }) => bothPrefixes(url).map((one) => shapeOf(method, one))))
    const ours = mlflow.routes.map(({ method, url }) => shapeOf(method, url))
    expect(ours.filter((one) => !named.has(one) && !more.has(one.replace('/ajax-api/', '/api/')))).toEqual([])
  })
})

/** What the page of MLflow finds below one prefix, ours has below both. */
const bothPrefixes = (url: string) => [url, url.replace('/ajax-api/', '/api/')]

function shapeOf(method: string, url: string): string {
  return `${method} ${url.replaceAll(/\{[a-z_]+\}|:[a-z_]+/g, '*').replace(/\/\*$/, '*')}`
}

/** Beside MLflow's: parts of a large upload, and files and links where clients of the other version of the API look. */
const more = new Set([
  'PUT /api/2.0/mlflow-artifacts/mpu/part/**',
  'GET /api/2.0/mlflow/get-artifact',
  'GET /api/2.0/mlflow/model-versions/get-artifact',
  'GET /logged-models/*/artifacts/files',
  'POST /api/3.0/mlflow/traces/link-to-run',
  'POST /api/3.0/mlflow/traces/link-prompts',
])

/** Enough for a request that is refused whatever it says to get so far. */
const required = { username: 'x', role_id: '1', resource_type: 'run', resource_id: 'x' }
