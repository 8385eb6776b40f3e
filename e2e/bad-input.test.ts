import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listDatasets } from '#modules/datasets/contract.ts'
import { listPipelines, getRun, putPipeline, startRun } from '#modules/pipelines/contract.ts'
import { listModels, listVersions, registerVersion } from '#modules/registry/contract.ts'
import { linearModel } from '#testing/onnx.ts'
import { createPlace, type Pave, type Place, pave, startPave } from './support/start-pave.ts'
import { question, serveTinyModel, signature } from './support/tiny-project.ts'
import { eventually } from './support/wait.ts'

let place: Place
let running: Pave
const cleanUps: Array<() => Promise<void>> = []

beforeAll(async () => {
  place = await createPlace((work) => cleanUps.push(work))
  running = await startPave(place)
  await serveTinyModel(place, running)
})
afterAll(async () => {
  await running.stop()
  for (const work of cleanUps) await work()
})

const dataset = (lines: string) => `apiVersion: pave/v1
kind: Dataset
metadata: { name: sales }
spec:
  timeColumn: at
${lines}`
const columns = '  columns: { at: { type: timestamp }, amount: { type: double } }'
const pipeline = (steps: string) => `apiVersion: pave/v1
kind: Pipeline
metadata: { name: bad }
spec:
  steps:
${steps}`

describe('manifests', () => {
  test.each<[string, string, (string | RegExp)[]]>([
    ['an unknown kind', 'apiVersion: pave/v1\nkind: Modle\nmetadata: { name: x }\nspec: {}', ['x']],
    [
      'an unknown field',
      'apiVersion: pave/v1\nkind: Model\nmetadata: { name: bad }\nspec: { owner: ada, tier: 4, task: other, colour: red }',
      ['x'],
    ],
    ['malformed YAML', 'apiVersion: pave/v1\nkind: Model\nmetadata: { name: [bad }\n', ['x']],
    ['a Parquet file that is none', dataset(`  source: { file: sales.csv }\n${columns}`), ['x']],
    ['a Parquet file that was cut off', dataset(`  source: { file: cut.parquet }\n${columns}`), ['x']],
    ['a file that is not there', dataset(`  source: { file: nothing.parquet }\n${columns}`), ['x']],
    [
      'a column of another type',
      dataset('  source: { file: sales.parquet }\n  columns: { at: { type: timestamp }, amount: { type: bool } }'),
      ['x'],
    ],
    ['a field of another type', 'apiVersion: pave/v1\nkind: Model\nmetadata: { name: bad }\nspec: { owner: ada, tier: high, task: other }', ['x']],
    ['a cycle of steps', pipeline('    - { name: a, run: "true", after: [b] }\n    - { name: b, run: "true", after: [a] }'), ['x']],
    ['a step that waits for nothing', pipeline('    - { name: a, run: "true", after: [c] }'), ['x']],
  ])('%s', async (name, yaml, said) => {
    const directory = join(place.dataDir, 'bad', name.replaceAll(' ', '-'))
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'bad.yaml'), yaml)
    await writeFile(join(directory, 'sales.csv'), 'at,amount\n2001-01-01,3\n')
    const parquet = join(directory, 'sales.parquet')
    const db = await (await DuckDBInstance.create(':memory:')).connect()
    await db.run(`copy (select timestamp '2001-01-01' as at, 1.5 as amount) to '${parquet}' (format parquet)`)
    db.closeSync()
    const { readFile } = await import('node:fs/promises')
    await writeFile(join(directory, 'cut.parquet'), (await readFile(parquet)).subarray(0, 100))
    const refused = await pave(place, ['apply', directory])
    console.log(name, refused)
  })
})

describe('steps', () => {
  test.each<[string, object]>([
    ['dies', { run: 'echo last words; exit 3' }],
    ['crashes', { run: 'kill -SEGV $$' }],
    ['hangs', { run: 'echo waiting; sleep 600', timeout: '1s' }],
    ['fills', { run: 'head -c 50000000 /dev/zero > "$HOME/big"; sleep 60', resources: { diskMb: 8 } }],
    ['trickles', { run: 'i=0; while true; do i=$((i+1)); head -c 1000000 /dev/zero > "$TMPDIR/f$i"; done', resources: { diskMb: 8 } }],
    ['forgets', { run: 'true', outputs: ['model'] }],
  ])('%s', async (name, step) => {
    await running.admin.call(putPipeline, { pipeline: name, spec: { steps: [{ name: 'only', run: 'true', ...step }, { name: 'later', run: 'true', after: ['only'] }] } })
    const { run } = await running.admin.call(startRun, { pipeline: name })
    const ended = await eventually(async () => {
      const now = await running.admin.call(getRun, { run })
      return now.state !== 'queued' && now.state !== 'running' && now
    })
    console.log(name, JSON.stringify(ended, null, 1))
  })
})

describe('graphs', () => {
  test.each<[string, Buffer | string]>([
    ['not a graph', 'x'],
    ['inputs differ', linearModel({ weights: [1, 2, 3] })],
  ])('%s', async (name, bytes) => {
    const uploaded = await running.admin.raw('POST', '/api/v1/objects', { body: new Uint8Array(Buffer.from(bytes)) })
    const { digest } = await uploaded.json()
    const error = await running.admin.call(registerVersion, { model: 'tiny', artifact: digest, signature, features: ['tens', 'hour'] }).catch((e) => e)
    console.log(name, JSON.stringify({ ...error, message: error.message }))
  })
})

describe('requests', () => {
  const good = question('x', new Date(0))
  const [at, distance] = good.inputs
  const infer = async (body: unknown, { headers = {}, model = 'tiny', token = running.token as string | undefined } = {}) => {
    const answer = await fetch(`${place.inferenceUrl}/v2/models/${model}/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
      body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
    })
    return { status: answer.status, body: await answer.json() }
  }
  test.each<[string, unknown, object?]>([
    ['good', good],
    ['wrong shape', { inputs: [at, { ...distance, shape: [2] }] }],
    ['rows differ', { inputs: [at, { ...distance, shape: [2], data: [1, 2] }] }],
    ['3 dims', { inputs: [at, { ...distance, shape: [1, 1, 1] }] }],
    ['wrong datatype', { inputs: [at, { ...distance, datatype: 'BYTES', data: ['x'] }] }],
    ['unknown datatype', { inputs: [at, { ...distance, datatype: 'FLOAT' }] }],
    ['missing field', { inputs: [at] }],
    ['unknown field', { inputs: [at, distance, { ...distance, name: 'colour' }] }],
    ['NaN text', { inputs: [at, { ...distance, data: ['NaN'] }] }],
    ['NaN literal', JSON.stringify({ inputs: [at, { ...distance, data: [99] }] }).replace('99', 'NaN')],
    ['null', { inputs: [at, { ...distance, data: [null] }] }],
    ['1e999', JSON.stringify({ inputs: [at, { ...distance, data: [99] }] }).replace('99', '1e999')],
    ['no timestamp', { inputs: [{ ...at, data: ['yesterday'] }, distance] }],
    ['too many rows', { inputs: [{ ...at, shape: [5], data: Array(5).fill(at?.data[0]) }, { ...distance, shape: [5], data: [1, 2, 3, 4, 5] }] }],
    ['malformed', '{"inputs": [}'],
    ['not object', '[]'],
    ['no inputs', '{}'],
    ['empty', ''],
    ['no token', good, { token: undefined }],
    ['wrong token', good, { token: 'pave_nope' }],
    ['unknown model', good, { model: 'nothing' }],
    ['gzip', 'x', { headers: { 'content-encoding': 'gzip' } }],
    ['zstd', 'x', { headers: { 'content-encoding': 'zstd' } }],
    ['huge', new Uint8Array(64 * 2 ** 20 + 1)],
    ['huge2', new Uint8Array(100 * 2 ** 20 + 1)],
  ])('%s', async (name, body, options) => {
    console.log(name, JSON.stringify(await infer(body, options as never).catch((e) => ({ error: String(e), cause: String(e.cause) }))))
  })
  test('control plane', async () => {
    const send = async (path: string, init: RequestInit) => {
      const answer = await fetch(place.url + path, { ...init, headers: { authorization: `Bearer ${running.token}`, 'content-type': 'application/json', ...init.headers } }).catch((e) => ({ status: -1, text: async () => String(e.cause) }))
      console.log(path, answer.status, await answer.text())
    }
    await send('/api/v1/models/x', { method: 'PUT', body: '{' })
    await send('/api/v1/models/x', { method: 'PUT', body: 'x'.repeat(20_000_000) })
    await send('/api/v1/models/x', { method: 'PUT', body: '{"spec": {"owner": 3, "colour": "red"}}' })
    await send('/api/v1/models/X', { method: 'PUT', body: '{"spec": {"owner": "a", "tier": 4, "task": "other"}}' })
    await send('/api/v1/models', { method: 'GET', headers: { authorization: '' } })
    await send('/api/v1/models', { method: 'GET', headers: { authorization: 'Bearer nope' } })
    await send('/api/v1/nothing', { method: 'GET' })
    console.log((await running.admin.call(listDatasets, {})).items, (await running.admin.call(listPipelines, {})).items.map((p) => p.pipeline), (await running.admin.call(listModels, {})).items.length, (await running.admin.call(listVersions, { model: 'tiny' })).items.length)
  })
})
