import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identity } from '#modules/identity/module.ts'
import { registry } from '#modules/registry/module.ts'
import { traces } from '#modules/traces/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { mlflow } from '#protocols/mlflow/module.ts'
import { pythonEnvironment } from './python-environment.ts'
import { type StockClient, startForClient } from './stock-client.ts'

let client: StockClient
beforeAll(async () => {
  client = await startForClient([identity, tracking, registry, traces, mlflow], 'contributor')
})
afterAll(() => client.stop())

function environmentOf(requirements: string) {
  const environment = pythonEnvironment(join(import.meta.dirname, requirements))
  if ('missing' in environment) console.log(`skipped: ${environment.missing}`)
  return environment
}

// What a model needs is found out by loading it once more, which takes minutes and is not what is tried here.
const seenBy = (python: string, script: string) =>
  client.seen(python, script, { MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT: '1' })

const newest = environmentOf('requirements.txt')
describe.skipIf('missing' in newest)('the whole stock client', { timeout: 300_000 }, () => {
  it('notices nothing', async () => {
    expect(await seenBy('python' in newest ? newest.python : '', 'mlflow-workflows.py')).toEqual({
      autologged: { sklearn: [1, 'READY', true], xgboost: [1, 'READY', true], lightgbm: [1, 'READY', true] },
      parallel: { children: [7, 6, 5, 4, 3, 2, 1, 0], later: 50, pages: [4, 4, 1], either: 2 },
      loaded: [true, true, true, true],
      pyfunc: true,
      version: ['yes', 'the first', ['Champion'], true, '1'],
      copied: true,
      stage: ['Production', ['1']],
      by_stage: true,
      searched: {
        models: ['Churn Model_v1.0'],
        order: ['churn.production', 'Churn Model_v1.0'],
        versions: ['1', '1'],
        logged: ['model'],
      },
      renamed: ['churn.live', true],
      deleted: 'RESOURCE_DOES_NOT_EXIST',
      gone: 'RESOURCE_DOES_NOT_EXIST',
      logged_gone: 'RESOURCE_DOES_NOT_EXIST',
      still: true,
      served: true,
      evaluated: [1, true],
      prompts: {
        versions: [1, 2, 1],
        text: 'Summarise this',
        second: 'Summarise {{text}} briefly',
        tags: { task: 'summary' },
        message: 'first',
        chat: [{ role: 'user', content: '{{question}}' }],
        found: ['chat', 'summary.prompt'],
        among_models: [],
        source: 'INVALID_PARAMETER_VALUE',
      },
      files: { same: true, listed: 19, absent: 'RESOURCE_DOES_NOT_EXIST' },
    })
  })
})

describe.each(['3.16', '3.15'])('the stock client of MLflow %s', { timeout: 120_000 }, (version) => {
  const older = environmentOf(`requirements-${version}.txt`)
  it.skipIf('missing' in older)('tracks, logs, registers and loads', async () => {
    expect(await seenBy('python' in older ? older.python : '', 'mlflow-older-client.py')).toEqual({
      version: expect.stringContaining(version),
      run: { params: { depth: '6' }, metrics: { auc: 0.75 }, tags: { team: 'a' } },
      history: [0.5, 0.75],
      found: 1,
      text: 'hello',
      predicted: [2, 4],
      alias: '1',
      prompt: 'Hello Ada',
    })
  })
})
