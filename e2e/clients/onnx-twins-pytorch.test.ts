import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identity } from '#modules/identity/module.ts'
import { getVersion } from '#modules/registry/contract.ts'
import { registry } from '#modules/registry/module.ts'
import { convertVersion } from '#modules/registry/twin-contract.ts'
import { tracking } from '#modules/tracking/module.ts'
import { mlflow } from '#protocols/mlflow/module.ts'
import { pythonEnvironment } from './python-environment.ts'
import { type StockClient, startForClient } from './stock-client.ts'

const requirements = join(import.meta.dirname, 'requirements-pytorch.txt')
const wanted = process.env['PAVE_PYTORCH'] === 'true'
const environment = wanted
  ? pythonEnvironment(requirements)
  : { missing: 'PyTorch of PyPI takes 6 GB, here and for the model; PAVE_PYTORCH=true asks for it' }
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

describe.skipIf('missing' in environment)('networks of PyTorch become ONNX twins', { timeout: 1_800_000 }, () => {
  const python = 'python' in environment ? environment.python : ''
  let notebook: StockClient

  beforeAll(async () => {
    notebook = await startForClient([identity, tracking, registry, mlflow], 'contributor')
    const needs = (await readFile(requirements, 'utf8')).trim().split('\n').join(' ')
    expect(await notebook.seen(python, 'onnx-twins-pytorch.py', { REQUIREMENTS: needs })).toBe(true)
  }, 600_000)
  afterAll(() => notebook.stop())

  it.each(['exported', 'pickled', 'scripted'])('that was %s', async (model) => {
    const { pave } = notebook
    const { job } = await pave.run(convertVersion, { version: `${model}@1` })
    await pave.finished(job)
    const { twin } = await pave.run(getVersion, { version: `${model}@1` })
    expect(twin).toMatchObject({
      state: 'ready',
      flavor: 'pytorch',
      output: 'output',
      signature: { inputs: [{ datatype: 'FP32', shape: [-1, 3] }], outputs: [{ datatype: 'FP32' }] },
    })
    expect(twin?.report?.samples).toBe(model === 'exported' ? 261 : 256)
    expect(twin?.report?.maxAbsolute).toBeLessThan(1e-5)
  })
})
