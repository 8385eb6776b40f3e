import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exportEvidence } from '#modules/governance/contract.ts'
import { createPrincipal, createToken } from '#modules/identity/contract.ts'
import { getVersion, type OnnxTwin, putModel, registerVersion } from '#modules/registry/contract.ts'
import { convertVersion } from '#modules/registry/twin-contract.ts'
import { putEndpoint, startRelease } from '#modules/releases/contract.ts'
import { getJob, listEntries } from '#platform/kernel/contract.ts'
import { type Client, createClient } from '#platform/surfaces/client.ts'
import { createPlace, kill, type Pave, type Place, pave, startPave } from '../support/start-pave.ts'
import { eventually } from '../support/wait.ts'
import { pythonEnvironment } from './python-environment.ts'

const environment = pythonEnvironment(join(import.meta.dirname, 'requirements.txt'))
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

/** Each model says that it needs the same, so that one environment serves them all. */
const requirements = ['mlflow==3.17.2', 'cloudpickle', 'skops']

interface Answered {
  rows: number[][]
  answers: number[]
}

describe.skipIf('missing' in environment)('models of the stock client become ONNX twins', { timeout: 900_000 }, () => {
  const python = 'python' in environment ? environment.python : ''
  const cleanUps: (() => Promise<void>)[] = []
  let place: Place
  let running: Pave
  let ada: Client
  let token: string
  let native: Record<string, Answered>

  beforeAll(async () => {
    place = await createPlace((work) => cleanUps.push(work))
    running = await startPave(place)
    await running.admin.call(createPrincipal, { name: 'ada', role: 'operator' })
    token = (await running.admin.call(createToken, { principal: 'ada', name: 'notebook' })).token
    ada = createClient({ url: place.url, token })
    const folder = await mkdtemp(join(tmpdir(), 'pave-twins-'))
    cleanUps.push(() => rm(folder, { recursive: true }))
    const pinned = (await readFile(join(import.meta.dirname, 'requirements.txt'), 'utf8')).split('\n')
    const needs = [...requirements, ...pinned.filter((line) => /^(lightgbm|numpy|scikit-learn|xgboost)/.test(line))]
    const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, 'onnx-twins.py')], {
      cwd: folder,
      env: {
        PATH: '/usr/bin:/bin',
        HOME: folder,
        MLFLOW_TRACKING_URI: place.url,
        MLFLOW_TRACKING_TOKEN: token,
        MLFLOW_DISABLE_TELEMETRY: 'true',
        GIT_PYTHON_REFRESH: 'quiet',
        PYTHONDONTWRITEBYTECODE: '1',
        REQUIREMENTS: needs.join(' '),
        WAITS: 'go',
      },
    })
    native = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
  })
  afterAll(async () => {
    await running.stop()
    for (const cleanUp of cleanUps.reverse()) await cleanUp()
  })

  async function convert(ref: string, tolerance?: number): Promise<OnnxTwin> {
    const { job } = await ada.call(convertVersion, { version: ref, ...(tolerance !== undefined && { tolerance }) })
    await eventually(async () => {
      const { state } = await ada.call(getJob, { job, wait: 20 })
      return state === 'done' || state === 'failed'
    })
    const { twin } = await ada.call(getVersion, { version: ref })
    if (twin === null) throw new Error(`${ref} has no twin`)
    return twin
  }

  async function serve(model: string): Promise<void> {
    await ada.call(putEndpoint, { environment: 'prod', endpoint: model, spec: { model } })
    await running.admin.call(startRelease, { environment: 'prod', endpoint: model, version: `${model}@1` })
  }

  async function ask(model: string, rows: number[][]) {
    const body = {
      inputs: [{ name: 'features', datatype: 'FP32', shape: [rows.length, rows[0]?.length], data: rows.flat() }],
    }
    const headers = { authorization: `Bearer ${running.token}`, 'content-type': 'application/json' }
    const url = `${place.inferenceUrl}/v2/models/${model}`
    await eventually(async () => (await fetch(`${url}/ready`, { headers })).status === 200)
    const answer = await fetch(`${url}/infer`, { method: 'POST', headers, body: JSON.stringify(body) })
    expect(answer.status, await answer.clone().text()).toBe(200)
    return answer.json()
  }

  it('refuses to release a model that has no graph, and says the way out', async () => {
    await ada.call(putEndpoint, { environment: 'prod', endpoint: 'linear', spec: { model: 'linear' } })
    const refused = await pave(place, ['start-release', 'prod', 'linear', '--version', 'linear@1'], {
      PAVE_URL: place.url,
      PAVE_TOKEN: running.token,
    })
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('version_without_graph')
    expect(refused.stderr).toContain('pave convert-version linear@1 --follow')
  })

  it('says why an environment cannot be made, in the words of pip', async () => {
    const twin = await convert('unlucky@1')
    expect(twin).toMatchObject({ state: 'failed', problem: { code: 'environment_failed' }, artifact: null })
    const said = twin.problem?.lines.join('\n')
    expect(said).toMatch(/No matching distribution found for \S+/)
    expect(said).toContain('/etc/pip.conf')
    expect((await ada.raw('GET', `/api/v1/objects/${twin.log}`)).status).toBe(200)
  })

  it('converts on the command line, and follows the job to its end', async () => {
    const env = { PAVE_URL: place.url, PAVE_TOKEN: token }
    // The environment is made by the first conversion, which takes a minute or two.
    const { job } = await ada.call(convertVersion, { version: 'linear@1' })
    await eventually(async () => (await ada.call(getJob, { job, wait: 20 })).state !== 'running')
    const followed = await pave(place, ['convert-version', 'linear@1', '--follow'], env)
    expect(followed).toMatchObject({ code: 0 })
    const { twin } = await ada.call(getVersion, { version: 'linear@1' })
    expect(twin).toMatchObject({
      state: 'ready',
      job,
      flavor: 'sklearn',
      output: 'probabilities',
      signature: { inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 3] }] },
      report: { samples: 261, origins: { example: 5 }, labels: 0 },
    })
    expect(twin?.report?.converter).toMatch(/^skl2onnx /)
    expect(twin?.report?.maxAbsolute).toBeLessThan(1e-6)
  })

  it.each([
    { model: 'linear', exact: 1e-6 },
    { model: 'trees', exact: 1e-6 },
    { model: 'boosted', exact: 1e-3 },
  ])('serves the twin of $model, and answers as the model itself', async ({ model, exact }) => {
    const twin = await convert(`${model}@1`)
    expect(twin.state, JSON.stringify(twin.problem)).toBe('ready')
    await serve(model)
    const known = native[model] ?? { rows: [], answers: [] }
    const { outputs, parameters } = await ask(model, known.rows)
    expect(parameters).toMatchObject({ twin: true })
    const { data, shape } = outputs.find(({ name }: { name: string }) => name === twin.output)
    const width = shape[1] ?? 1
    const answers = known.rows.map((_, row) => data[row * width + width - 1])
    expect(known.answers).toHaveLength(20)
    for (const [row, answer] of answers.entries()) {
      expect(Math.abs(answer - (known.answers[row] ?? Number.NaN)), `row ${row}`).toBeLessThan(exact)
    }
    expect(new Set(answers).size).toBeGreaterThan(5)
  })

  it('keeps columns of text apart, each an input of its own', async () => {
    const twin = await convert('mixed@1')
    expect(twin.state, JSON.stringify(twin.problem)).toBe('ready')
    const inputs = twin.signature?.inputs.map(({ name, datatype }) => `${name} ${datatype}`)
    expect(inputs).toEqual(expect.arrayContaining(['carrier BYTES', 'hour FP32', 'distance FP32']))
  })

  it('says which model no converter knows, and which cannot be loaded', async () => {
    const odd = await convert('odd@1')
    expect(odd).toMatchObject({ state: 'failed', problem: { code: 'conversion_unsupported' } })
    expect(odd.problem?.message).toContain('OddRule')
    const broken = await convert('broken@1')
    expect(broken).toMatchObject({ state: 'failed', problem: { code: 'model_unreadable' }, artifact: null })
  })

  it('lets nothing serve that differs by more than the tolerance, until somebody allows it', async () => {
    await ada.call(putModel, { model: 'strict', spec: { owner: 'ada', tier: 4, task: 'binary-classification' } })
    const { files, flavors, signature } = await ada.call(getVersion, { version: 'linear@1' })
    await ada.call(registerVersion, { model: 'strict', files, flavors, signature })
    const differs = await convert('strict@1', 0)
    expect(differs).toMatchObject({ state: 'differs', tolerance: 0, artifact: null, problem: { code: 'twin_differs' } })
    expect(differs.report?.difference).toBeGreaterThan(0)
    await ada.call(putEndpoint, { environment: 'prod', endpoint: 'strict', spec: { model: 'strict' } })
    const release = running.admin.call(startRelease, { environment: 'prod', endpoint: 'strict', version: 'strict@1' })
    await expect(release).rejects.toMatchObject({ code: 'version_without_graph' })
    expect(await convert('strict@1', 0.001)).toMatchObject({ state: 'ready', tolerance: 0.001, problem: null })
  })

  it('goes on after kill -9 where it was, and enters its end once', async () => {
    const { job } = await ada.call(convertVersion, { version: 'slow@1' })
    const attempt = join(place.dataDir, 'compute/attempts', `${job}-conversion`)
    await eventually(async () => (await readFile(join(attempt, 'log'), 'utf8').catch(() => '')).includes('waiting'))
    const before = await readFile(join(attempt, 'supervisor'), 'utf8')
    kill(running.pid, 'SIGKILL')
    await running.ended
    running = await startPave(place)
    expect(await readFile(join(attempt, 'supervisor'), 'utf8')).toBe(before)
    await writeFile(join(attempt, 'work/home/go'), '')
    const twin = await convert('slow@1')
    expect(twin).toMatchObject({ state: 'ready', job, problem: null })
    const { items } = await ada.call(listEntries, { subject: 'version:slow@1', limit: 50 })
    expect(items.filter(({ operation }) => operation === 'finish-conversion')).toHaveLength(1)
    expect(await readdir(join(place.dataDir, 'compute/attempts'))).toEqual([])
  })

  it('is named in the evidence of its version', async () => {
    const { twin } = await ada.call(getVersion, { version: 'linear@1' })
    const evidence = JSON.stringify(await ada.call(exportEvidence, { version: 'linear@1' }))
    expect(evidence).toContain(twin?.artifact)
    expect(evidence).toContain('from the model over 261 samples')
  })
})
