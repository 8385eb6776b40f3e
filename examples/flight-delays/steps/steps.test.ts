import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from './boosted-trees.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flight-delays-'))
  await writeFile(file('training.csv'), flights(4000, 1))
  await writeFile(file('evaluation.csv'), flights(2000, 2))
})
afterAll(() => rm(folder, { recursive: true }))

function file(name: string): string {
  return join(folder, name)
}

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

async function runStep(name: string, inputs: string[], outputs: string[], params: Record<string, string>) {
  const paths = (names: string[]) => Object.fromEntries(names.map((path) => [path.split('.')[0], file(path)]))
  await writeFile(file('step.json'), JSON.stringify({ inputs: paths(inputs), outputs: paths(outputs), params }))
  return spawnSync(process.execPath, [join(import.meta.dirname, name)], {
    env: { PAVE_STEP_FILE: file('step.json') },
    encoding: 'utf8',
  })
}

async function readJson(name: string) {
  return JSON.parse(await readFile(file(name), 'utf8'))
}

async function trainAndEvaluate(params: Record<string, string>) {
  const outputs = ['model.onnx', 'trees.json', 'profile.json', 'report.json']
  const trained = await runStep('train.ts', ['training.csv'], outputs, { trees: '20', depth: '3', ...params })
  expect(trained.stderr).toBe('')
  const inputs = ['trees.json', 'training.csv', 'evaluation.csv']
  const evaluated = await runStep('evaluate.ts', inputs, ['metrics.json'], params)
  expect(evaluated.stderr).toBe('')
  return { metrics: await readJson('metrics.json'), profile: await readJson('profile.json'), log: trained.stdout }
}

describe('training and evaluating as steps', () => {
  test('give a model that beats the baseline, with a report, a profile and slices', async () => {
    const { metrics, log } = await trainAndEvaluate({ max_rows: '3000' })
    expect(log).toContain('::progress 0.55 10 trees')
    expect(metrics.metrics.rows).toBe(2000)
    expect(metrics.baseline.metrics.auc).toBeGreaterThan(0.55)
    expect(metrics.metrics.auc).toBeGreaterThan(metrics.baseline.metrics.auc + 0.05)
    expect(metrics.metrics.auc_low).toBeLessThan(metrics.metrics.auc)
    expect(metrics.metrics.calibration_error).toBeLessThan(0.06)
    expect(metrics.slices.map((slice: { slice: string }) => slice.slice)).toEqual(['origin=ORD', 'origin=ATL'])
    const report = await readJson('report.json')
    expect(report).toMatchObject({ trees: 20, training_rows: 3000 })
    expect(report.feature_importances[0].feature).toBe('distance')
  })

  test('in kilometres give the same metrics and a profile in kilometres', async () => {
    const miles = await trainAndEvaluate({})
    const kilometres = await trainAndEvaluate({ distance_unit: 'kilometres' })
    expect(kilometres.metrics.metrics.auc).toBeCloseTo(miles.metrics.metrics.auc, 3)
    expect(kilometres.profile[2].mean / miles.profile[2].mean).toBeCloseTo(1.609344, 5)
    expect(kilometres.profile[0]).toEqual(miles.profile[0])
  })

  test('say what is wrong and fail', async () => {
    const unit = await runStep('train.ts', ['training.csv'], [], { distance_unit: 'feet' })
    expect(unit.stderr).toBe('The parameter "distance_unit" is miles or kilometres, not "feet".\n')
    expect(unit.status).toBe(1)
    const depth = await runStep('train.ts', ['training.csv'], [], { depth: 'deep' })
    expect(depth.stderr).toBe('The parameter "depth" must be a number, not "deep".\n')
    const input = await runStep('evaluate.ts', [], ['metrics.json'], {})
    expect(input.stderr).toBe('The step needs an input named "trees".\n')
  })
})
