import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readGraph } from '#algorithms/onnx/read-graph.ts'
import { signatureOf } from '#algorithms/tensors/signature.ts'
import { identity } from '#modules/identity/module.ts'
import { getVersion } from '#modules/registry/contract.ts'
import { registry } from '#modules/registry/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { traceLineage } from '#platform/kernel/contract.ts'
import { mlflow } from '#protocols/mlflow/module.ts'
import { seededRandom } from '#testing/predictions.ts'
import { pythonEnvironment } from './python-environment.ts'
import { type StockClient, startForClient } from './stock-client.ts'

const example = join(import.meta.dirname, '../../examples/flight-delays-python')
const environment = pythonEnvironment(join(example, 'steps/requirements.txt'))
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

describe.skipIf('missing' in environment)('the stock mlflow client', { timeout: 300_000 }, () => {
  const python = 'python' in environment ? environment.python : ''
  let client: StockClient
  beforeAll(async () => {
    client = await startForClient([identity, tracking, registry, mlflow], 'contributor')
  })
  afterAll(() => client.stop())

  it('tracks runs, logs models, registers a version and loads it back', async () => {
    const seen = await client.seen(python, 'mlflow-client.py')
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
        // Found out by the client itself.
        'no model': 'INTERNAL_ERROR',
        'unknown run': 'RESOURCE_DOES_NOT_EXIST',
        'unknown experiment': 'RESOURCE_DOES_NOT_EXIST',
        'existing model': 'RESOURCE_ALREADY_EXISTS',
        'model name': 'INVALID_PARAMETER_VALUE',
        'file source': 'INVALID_PARAMETER_VALUE',
        filter: 'INVALID_PARAMETER_VALUE',
      },
    })
    const version = await client.pave.run(getVersion, { version: 'stock-model@champion' })
    expect(version).toMatchObject({
      features: ['first', 'second', 'third'],
      output: 'probabilities',
      metrics: { auc: 0.75, loss: 0.5 },
    })
    const { edges } = await client.pave.run(traceLineage, { object: `version:${version.ref}` })
    expect(edges.map((edge) => edge.from.kind)).toContain('run')
  })

  it('runs the steps of the Python example through to a registered version', async () => {
    await writeFile(join(client.folder, 'training.csv'), flights(4000, 1))
    await writeFile(join(client.folder, 'evaluation.csv'), flights(2000, 2))
    const params = { trees: 30 }
    await runStep('train.py', ['training.csv'], ['model', 'profile', 'report'], params)
    await runStep('evaluate.py', ['model', 'report', 'training.csv', 'evaluation.csv'], ['metrics'], {})
    const { metrics, baseline, slices } = await readJson('metrics')
    const report = await readJson('report')
    expect(metrics.auc).toBeGreaterThan(baseline.metrics.auc + 0.03)
    expect(slices.map((one: { slice: string }) => one.slice)).toEqual(['origin=ORD', 'origin=ATL'])
    expect(report.signature).toEqual(signatureOf(readGraph(await readFile(join(client.folder, 'model')))))

    const register = `import mlflow; mlflow.register_model("models:/${report.mlflow_model}", "flight-delays")`
    await client.run(python, ['-c', register])
    const version = await client.pave.run(getVersion, { version: 'flight-delays@1' })
    expect(version).toMatchObject({
      features: ['origin_late_rate_3h', 'minute_of_day', 'distance'],
      signature: report.signature,
      output: 'probability',
      profile: await readJson('profile'),
    })
    expect(version.metrics?.['auc']).toBe(metrics.auc)
    const wrong = runStep('train.py', ['training.csv'], [], { distance_unit: 'feet' })
    await expect(wrong).rejects.toThrow('The parameter "distance_unit" is miles or kilometres, not "feet".')
  })

  async function runStep(script: string, inputs: string[], outputs: string[], params: Record<string, unknown>) {
    const paths = (names: string[]) =>
      Object.fromEntries(names.map((name) => [name.split('.')[0], join(client.folder, name)]))
    const step = join(client.folder, 'step.json')
    await writeFile(step, JSON.stringify({ inputs: paths(inputs), outputs: paths(outputs), params }))
    await client.run(python, [join(example, 'steps', script)], { PAVE_STEP_FILE: step })
  }

  async function readJson(name: string) {
    return JSON.parse(await readFile(join(client.folder, name), 'utf8'))
  }
})

/** Lateness depends on the airport's rate and, beyond the baseline, on the distance. */
function flights(rows: number, seed: number): string {
  const random = seededRandom(seed)
  const lines = Array.from({ length: rows }, () => {
    const rate = random() < 0.1 ? '' : random().toFixed(4)
    const distance = Math.floor(random() * 2000)
    const late = random() < Number(rate) * 0.4 + (distance > 1000 ? 0.4 : 0) ? 1 : 0
    return `${rate},${Math.floor(random() * 1440)},${distance},${late},2001-01-01 00:00:00,${random() < 0.7 ? 'ORD' : 'ATL'}`
  })
  return `origin_late_rate_3h,minute_of_day,distance,label,event_timestamp,origin\n${lines.join('\n')}\n`
}
