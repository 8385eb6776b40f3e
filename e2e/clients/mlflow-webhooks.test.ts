import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identity } from '#modules/identity/module.ts'
import { registry } from '#modules/registry/module.ts'
import { traces } from '#modules/traces/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { webhooks } from '#modules/webhooks/module.ts'
import { mlflow } from '#protocols/mlflow/module.ts'
import { pythonEnvironment } from './python-environment.ts'
import { type StockClient, startForClient } from './stock-client.ts'

const environment = pythonEnvironment(
  join(import.meta.dirname, '../../examples/flight-delays-python/steps/requirements.txt'),
)
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

describe.skipIf('missing' in environment)('the stock mlflow client that makes webhooks', { timeout: 300_000 }, () => {
  const python = 'python' in environment ? environment.python : ''
  let client: StockClient
  beforeAll(async () => {
    client = await startForClient([identity, tracking, traces, registry, webhooks, mlflow], 'operator')
  })
  afterAll(() => client.stop())

  it('is told what it asked for, signed so that its own code agrees', async () => {
    const refused = 'INVALID_PARAMETER_VALUE'
    expect(await client.seen(python, 'mlflow-webhooks.py')).toEqual({
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
