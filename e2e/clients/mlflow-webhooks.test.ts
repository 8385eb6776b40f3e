import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createToken } from '#modules/identity/contract.ts'
import { identity } from '#modules/identity/module.ts'
import { registry } from '#modules/registry/module.ts'
import { traces } from '#modules/traces/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { webhooks } from '#modules/webhooks/module.ts'
import { mlflow } from '#protocols/mlflow/module.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { pythonEnvironment } from './python-environment.ts'

const environment = pythonEnvironment(
  join(import.meta.dirname, '../../examples/flight-delays-python/steps/requirements.txt'),
)
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

describe.skipIf('missing' in environment)('the stock mlflow client that makes webhooks', { timeout: 300_000 }, () => {
  const python = 'python' in environment ? environment.python : ''
  let pave: TestPlatform
  let url: string
  let token: string
  let folder: string

  beforeAll(async () => {
    pave = await createTestPlatform({ modules: [identity, tracking, traces, registry, webhooks, mlflow] })
    url = await pave.controlPlane.http.listen({ host: '127.0.0.1', port: 0 })
    await pave.as('olga', 'operator')
    token = (await pave.run(createToken, { principal: 'olga', name: 'notebook' })).token
    folder = await mkdtemp(join(tmpdir(), 'pave-mlflow-'))
  })
  afterAll(async () => {
    await pave.drop()
    await rm(folder, { recursive: true })
  })

  it('is told what it asked for, signed so that its own code agrees', async () => {
    const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, 'mlflow-webhooks.py')], {
      cwd: folder,
      env: {
        PATH: '/usr/bin:/bin',
        HOME: folder,
        MLFLOW_TRACKING_URI: url,
        MLFLOW_TRACKING_TOKEN: token,
        MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
        GIT_PYTHON_REFRESH: 'quiet',
        MLFLOW_DISABLE_TELEMETRY: 'true',
        PYTHONDONTWRITEBYTECODE: '1',
      },
    })
    const refused = 'INVALID_PARAMETER_VALUE'
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      made: ['bot', 'for the release bot', 'ACTIVE', true, null, true],
      listed: [true],
      tests: [[true, 200, 'vielen Dank ü', true]],
      told: [
        ['registered_model.created', { name: 'churn', tags: { team: 'a' }, description: 'who leaves' }],
        [
          'model_version.created',
          {
            name: 'churn',
            version: '1',
            source: expect.stringMatching(/^models:\/m-/),
            run_id: expect.stringMatching(/^[0-9a-f]{32}$/),
            tags: expect.any(Object),
            description: null,
          },
        ],
        ['model_version_tag.set', { name: 'churn', version: '1', key: 'checked', value: 'yes' }],
        ['model_version_alias.created', { name: 'churn', alias: 'champion', version: '1' }],
        ['prompt.created', { name: 'greeting', tags: expect.any(Object), description: 'shorter' }],
        [
          'prompt_version.created',
          {
            name: 'greeting',
            version: '1',
            template: 'Hello {{name}}!',
            tags: expect.objectContaining({ tone: 'warm' }),
            description: 'shorter',
          },
        ],
        ['prompt_alias.created', { name: 'greeting', alias: 'live', version: '1' }],
      ],
      changed: ['bot-2', 'for the release bot', ['prompt.created']],
      broken: [false, 500],
      disabled: 'DISABLED',
      refused: {
        inside: refused,
        scheme: refused,
        nowhere: refused,
        credentials: refused,
        name: refused,
        events: refused,
        budget: refused,
      },
      deleted: ['RESOURCE_DOES_NOT_EXIST', 'RESOURCE_DOES_NOT_EXIST', []],
    })
  })
})
