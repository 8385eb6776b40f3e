import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createToken } from '#modules/identity/contract.ts'
import { identity } from '#modules/identity/module.ts'
import { getVersion } from '#modules/registry/contract.ts'
import { registry } from '#modules/registry/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { traceLineage } from '#platform/kernel/contract.ts'
import { mlflow } from '#protocols/mlflow/module.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { pythonEnvironment } from './python-environment.ts'

const example = join(import.meta.dirname, '../../examples/flight-delays-python')
const environment = pythonEnvironment(join(example, 'requirements.txt'))
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

describe.skipIf('missing' in environment)('the stock mlflow client', { timeout: 120_000 }, () => {
  const python = 'python' in environment ? environment.python : ''
  let pave: TestPlatform
  let url: string
  let token: string
  let folder: string

  beforeAll(async () => {
    pave = await createTestPlatform({ modules: [identity, tracking, registry, mlflow] })
    url = await pave.controlPlane.http.listen({ host: '127.0.0.1', port: 0 })
    await pave.as('ada', 'contributor')
    token = (await pave.run(createToken, { principal: 'ada', name: 'notebook' })).token
    folder = await mkdtemp(join(tmpdir(), 'pave-mlflow-'))
  })
  afterAll(async () => {
    await pave.drop()
    await rm(folder, { recursive: true })
  })

  function run(script: string, env: Record<string, string> = {}) {
    return promisify(execFile)(python, [script], {
      cwd: folder,
      env: {
        PATH: '/usr/bin:/bin',
        HOME: folder,
        MLFLOW_TRACKING_URI: url,
        MLFLOW_TRACKING_TOKEN: token,
        MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
        GIT_PYTHON_REFRESH: 'quiet',
        ...env,
      },
    })
  }

  it('tracks runs, logs models, registers a version and loads it back', async () => {
    const { stdout } = await run(join(import.meta.dirname, 'mlflow-client.py'))
    const seen = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
    expect(seen).toEqual({
      experiment: 'stock-client',
      again: true,
      experiments: ['stock-client'],
      changed_param: 'INVALID_PARAMETER_VALUE',
      run: {
        name: 'first',
        status: 'FINISHED',
        params: { depth: '6', trees: '5', rate: '0.1' },
        metrics: { loss: '0.5', auc: '0.75', broken: 'nan' },
        tags: { purpose: 'trial', a: '1', b: 'two words' },
        inputs: ['rows'],
        outputs: 2,
      },
      history: ['0.9', 'nan', 'inf', '0.5'],
      files: ['big.bin', 'notes', 'pave'],
      text: 'hello',
      bytes: 3_000_000,
      logged: { pickled: true, name: 'graph', found: 2 },
      found: ['first'],
      ordered: ['second', 'first'],
      after_delete: 1,
      version: { version: '1', status: 'READY', run: true, same: '1' },
      alias: '1',
      models: { 'stock-model': { champion: '1' } },
      versions: ['1'],
      loaded: true,
      close: true,
      refused: {
        'no graph': 'INVALID_PARAMETER_VALUE',
        'unknown run': 'RESOURCE_DOES_NOT_EXIST',
        'unknown experiment': 'RESOURCE_DOES_NOT_EXIST',
        'existing model': 'RESOURCE_ALREADY_EXISTS',
        'model name': 'INVALID_PARAMETER_VALUE',
        'file source': 'INVALID_PARAMETER_VALUE',
        or: 'INVALID_PARAMETER_VALUE',
      },
    })
    const version = await pave.run(getVersion, { version: 'stock-model@champion' })
    expect(version).toMatchObject({
      features: ['first', 'second', 'third'],
      output: 'probabilities',
      metrics: { auc: 0.75, loss: 0.5 },
    })
    const { edges } = await pave.run(traceLineage, { object: `version:${version.ref}` })
    expect(edges.map((edge) => edge.from.kind)).toContain('run')
  })
})
