import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Pool } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { materializeViews } from '#modules/feature-store/contract.ts'
import { evaluateGates } from '#modules/governance/contract.ts'
import { createPrincipal, createToken } from '#modules/identity/contract.ts'
import { getRun, type Run, readStepLog, startRun } from '#modules/pipelines/contract.ts'
import { getPrediction } from '#modules/predictions/contract.ts'
import { getVersion } from '#modules/registry/contract.ts'
import { getEndpoint } from '#modules/releases/contract.ts'
import { getJob } from '#platform/kernel/contract.ts'
import { type Client, createClient } from '#platform/surfaces/client.ts'
import { seededRandom } from '#testing/predictions.ts'
import { createPlace, type Pave, type Place, pave, startPave } from '../support/start-pave.ts'
import { eventually } from '../support/wait.ts'
import { pythonEnvironment } from './python-environment.ts'

const examples = join(import.meta.dirname, '../../examples')
const environment = pythonEnvironment(join(examples, 'flight-delays-python/steps/requirements.txt'))
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

const pipeline = 'train-flight-delays-python'
const endpoint = { environment: 'prod', endpoint: 'flight-delays' }
/** A few weeks of the flights, for a model that passes its gates within seconds. */
const fewWeeks = {
  history_from: '2001-02-11',
  train_from: '2001-02-18',
  train_to: '2001-03-05',
  evaluate_to: '2001-03-11',
  max_rows: 40_000,
}

describe.skipIf('missing' in environment)('the Python example on a running Pave', { timeout: 900_000 }, () => {
  const python = 'python' in environment ? environment.python : ''
  const places: (() => Promise<void>)[] = []
  let place: Place
  let running: Pave
  let ada: Client
  let adasToken: string
  let grace: string
  let folder: string

  beforeAll(async () => {
    place = await createPlace((work) => places.push(work))
    running = await startPave(place)
    adasToken = await tokenOf('ada', 'operator')
    ada = createClient({ url: place.url, token: adasToken })
    grace = await tokenOf('grace', 'approver')
    folder = await mkdtemp(join(tmpdir(), 'pave-python-'))
  })
  afterAll(async () => {
    await running.stop()
    for (const cleanUp of places) await cleanUp()
    await rm(folder, { recursive: true })
  })

  async function tokenOf(name: string, role: 'operator' | 'approver'): Promise<string> {
    await running.admin.call(createPrincipal, { name, role })
    return (await running.admin.call(createToken, { principal: name, name: 'test' })).token
  }

  it('is declared beside the example in TypeScript', async () => {
    const as = { PAVE_TOKEN: adasToken, PAVE_URL: place.url }
    const first = await pave(place, ['apply', join(examples, 'flight-delays')], as)
    expect(first).toMatchObject({ code: 0, stderr: '' })
    const second = await pave(place, ['apply', join(examples, 'flight-delays-python')], as)
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('1 created') })
  })

  it('refuses an unknown algorithm before anything runs', async () => {
    const wrong = ada.call(startRun, { pipeline, params: { model: 'bush' } })
    await expect(wrong).rejects.toThrow('param model is none of hist-gradient-boosting, xgboost: bush')
  })

  it.each([
    { model: 'hist-gradient-boosting', ref: 'flight-delays@1', made: true },
    { model: 'xgboost', ref: 'flight-delays@2', made: false },
  ])('trains $model, passes the gates, is approved, reaches all traffic and answers as in Python', async (one) => {
    const { model, ref, made } = one
    const run = await followRun({ ...fewWeeks, model })
    expect(run.error, run.error?.log.join('\n')).toBeNull()
    expect(run.steps.find(({ step }) => step === 'python')?.cache?.hit).toBe(!made)
    const { text } = await ada.call(readStepLog, { run: run.run, step: 'train' })
    const difference = /the ONNX graph and the model in Python differ by (\S+) at most/.exec(text)?.[1]
    expect(Number(difference)).toBeLessThan(1e-5)
    expect(await ada.call(getVersion, { version: ref })).toMatchObject({
      run: run.run,
      featureService: 'flight-delays',
    })

    const gates = await ada.call(evaluateGates, { version: ref })
    expect(gates.rules.filter(({ passed }) => !passed)).toEqual([])
    expect(gates.rules.map(({ rule }) => rule)).toContain('beats_baseline')
    const asked = await release(ref)
    if (made) await finished((await ada.call(materializeViews, { dataset: 'flights@1' })).job)

    const answers = await askUntilServedBy(ref)
    expect((await ada.call(getEndpoint, endpoint)).version).toBe(ref)
    expect(asked.code).toBe(4)
    await compare(model, answers)
  })

  it('shows the log of pip when a package cannot be had, and the way out', async () => {
    const directory = join(folder, 'broken')
    const source = join(examples, 'flight-delays-python')
    await promisify(execFile)('cp', ['-r', source, directory])
    await writeFile(join(directory, 'steps/requirements.txt'), '--no-index\nmlflow-skinny==3.17.2\n')
    expect(await pave(place, ['apply', directory])).toMatchObject({ code: 0 })
    const run = await followRun(fewWeeks)
    expect(run.error).toMatchObject({ code: 'step_failed', step: 'python', exitCode: 1 })
    const log = run.error?.log.join('\n')
    expect(log).toContain('No matching distribution found for mlflow-skinny==3.17.2')
    expect(log).toContain('/etc/pip.conf')
  })

  async function followRun(params: Run['params']): Promise<Run> {
    const { run } = await ada.call(startRun, { pipeline, params })
    return eventually(async () => {
      const now = await ada.call(getRun, { run })
      return now.state === 'queued' || now.state === 'running' ? undefined : now
    }, 200)
  }

  /** Ada asks, Grace approves. */
  async function release(ref: string) {
    const as = { PAVE_TOKEN: adasToken, PAVE_URL: place.url }
    const asked = await pave(place, ['start-release', 'prod', 'flight-delays', '--version', ref], as)
    const pending = /pave approve (\S+)/.exec(asked.stderr)?.[1] ?? ''
    const own = await pave(place, ['approve', pending], as)
    expect(own.code).not.toBe(0)
    expect(await pave(place, ['approve', pending], { ...as, PAVE_TOKEN: grace })).toMatchObject({ code: 0 })
    return asked
  }

  async function finished(job: string): Promise<void> {
    const { state } = await ada.call(getJob, { job, wait: 30 })
    expect(state).toBe('done')
  }

  /** Asks about one flight after the other until the version answers all traffic, and then of ten more. */
  async function askUntilServedBy(ref: string): Promise<Map<string, number>> {
    const pool = new Pool(place.inferenceUrl, { connections: 4 })
    const random = seededRandom(7)
    const answers = new Map<string, number>()
    const version = ref.split('@')[1]
    try {
      for (let serial = 0, last = Number.POSITIVE_INFINITY; serial < last; serial++) {
        const id = `${ref}-${serial}`
        const answer = await pool.request({
          method: 'POST',
          path: '/v2/models/flight-delays/infer',
          headers: { authorization: `Bearer ${running.token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ id, inputs: flight(random) }),
        })
        const text = await answer.body.text()
        if (answer.statusCode !== 200) {
          // Before the first release has reached the node.
          expect([404, 503], text).toContain(answer.statusCode)
          continue
        }
        const body = JSON.parse(text)
        if (body.model_version === version) answers.set(id, body.outputs[0].data[0])
        if (last === Number.POSITIVE_INFINITY && serial % 50 === 0) {
          const { release: current } = await ada.call(getEndpoint, endpoint)
          expect(['rolled-back', 'stopped'], current?.reason ?? '').not.toContain(current?.state)
          if (current?.version === ref && current.state === 'completed') last = serial + 10
        }
      }
    } finally {
      await pool.close()
    }
    return answers
  }

  /** With the features that the node looked up, which the prediction's record holds. */
  async function compare(model: string, answers: ReadonlyMap<string, number>): Promise<void> {
    const some = [...answers].slice(-10)
    expect(some).toHaveLength(10)
    const order = (await ada.call(getVersion, { version: 'flight-delays@1' })).features
    const rows: (number | null)[][] = []
    for (const [id] of some) {
      const { items } = await eventually(() =>
        ada.call(getPrediction, { ...endpoint, prediction: id }).catch(() => null),
      )
      const features = items.find(({ variant }) => variant !== 'shadow')?.features ?? {}
      rows.push(order.map((name) => features[name] ?? null))
    }
    expect(rows.flat().filter((value) => value !== null).length).toBeGreaterThan(order.length * 5)
    const file = join(folder, 'rows.json')
    await writeFile(file, JSON.stringify(rows))
    const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, 'python-model.py'), model, file], {
      cwd: folder,
      env: {
        PATH: '/usr/bin:/bin',
        HOME: folder,
        MLFLOW_TRACKING_URI: place.url,
        MLFLOW_TRACKING_TOKEN: adasToken,
        PYTHONDONTWRITEBYTECODE: '1',
      },
    })
    const inPython: number[] = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
    for (const [index, [id, probability]] of some.entries()) {
      expect(Math.abs(probability - (inPython[index] ?? Number.NaN)), id).toBeLessThan(1e-5)
    }
    expect(new Set(inPython).size).toBeGreaterThan(5)
  }
})

const airports = ['ORD', 'ATL', 'DFW', 'LAX', 'PHX', 'STL', 'DEN', 'DTW', 'MSP', 'LAS']

function flight(random: () => number) {
  const pick = () => airports[Math.floor(random() * airports.length)] ?? 'ORD'
  const date = new Date(Date.parse('2001-03-11T06:00:00Z') + Math.floor(random() * 16 * 3600) * 1000).toISOString()
  return [
    { name: 'origin', shape: [1], datatype: 'BYTES', data: [pick()] },
    { name: 'destination', shape: [1], datatype: 'BYTES', data: [pick()] },
    { name: 'date', shape: [1], datatype: 'BYTES', data: [date] },
    { name: 'distance', shape: [1], datatype: 'INT64', data: [200 + Math.floor(random() * 2000)] },
  ]
}
