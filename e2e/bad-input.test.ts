import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listDatasets } from '#modules/datasets/contract.ts'
import { getRun, listPipelines, putPipeline, startRun } from '#modules/pipelines/contract.ts'
import { listModels, listVersions, registerVersion } from '#modules/registry/contract.ts'
import { linearModel } from '#testing/onnx.ts'
import { createPlace, type Pave, type Place, pave, startPave } from './support/start-pave.ts'
import { question, serveTinyModel, signature } from './support/tiny-project.ts'
import { eventually } from './support/wait.ts'

let place: Place
let running: Pave
let files: string
const cleanUps: Array<() => Promise<void>> = []

beforeAll(async () => {
  place = await createPlace((work) => cleanUps.push(work))
  running = await startPave(place)
  await serveTinyModel(place, running)
  files = join(place.dataDir, 'files')
  await writeSources(files)
})
afterAll(async () => {
  await running.stop()
  for (const work of cleanUps) await work()
})

/** A Parquet file, the first half of it, and a text. */
async function writeSources(directory: string): Promise<void> {
  await mkdir(directory)
  const parquet = join(directory, 'sales.parquet')
  const database = await DuckDBInstance.create(':memory:')
  const connection = await database.connect()
  await connection.run(`copy (select timestamp '2001-01-01' as at, 1.5 as amount) to '${parquet}' (format parquet)`)
  connection.closeSync()
  database.closeSync()
  const bytes = await readFile(parquet)
  await writeFile(join(directory, 'cut-off.parquet'), bytes.subarray(0, bytes.length / 2))
  await writeFile(join(directory, 'sales.csv'), 'at,amount\n2001-01-01,3\n')
}

describe('manifests', () => {
  const manifest = (kind: string, spec: string) =>
    `apiVersion: pave/v1\nkind: ${kind}\nmetadata: { name: bad }\nspec: ${spec}\n`
  const dataset = (file: string, amount = 'double') =>
    manifest(
      'Dataset',
      `{ source: { file: ${file} }, timeColumn: at, columns: { at: { type: timestamp }, amount: { type: ${amount} } } }`,
    )

  test.each<[string, string, string, string[]]>([
    ['an unknown kind', manifest('Modle', '{}'), 'manifest_invalid', ['bad.yaml:2:7', 'Modle', 'Kinds are Dataset,']],
    [
      'an unknown field',
      manifest('Model', '{ owner: ada, tier: 4, task: other, colour: red }'),
      'manifest_invalid',
      ['bad.yaml:4:43', 'colour', 'Model bad'],
    ],
    [
      'a field of another type',
      manifest('Model', '{ owner: ada, tier: high, task: other }'),
      'manifest_invalid',
      ['bad.yaml:4:27', 'spec.tier', 'expected number', 'Model bad'],
    ],
    [
      'malformed YAML',
      'apiVersion: pave/v1\nkind: Model\nmetadata: { name: [bad }\n',
      'manifest_invalid',
      ['bad.yaml:3:24', 'must', 'line and column'],
    ],
    ['a text where Parquet should be', dataset('sales.csv'), 'parquet_invalid', ['dataset bad', 'sales.csv']],
    ['half a Parquet file', dataset('cut-off.parquet'), 'parquet_invalid', ['dataset bad', 'cut-off.parquet']],
    ['a file that is not there', dataset('nothing.parquet'), 'manifest_invalid', ['nothing.parquet', 'relative']],
    [
      'a column of another type',
      dataset('sales.parquet', 'bool'),
      'column_type_mismatch',
      ['amount is declared as bool', 'DECIMAL'],
    ],
    [
      'a cycle of steps',
      manifest('Pipeline', '{ steps: [{ name: a, run: x, after: [b] }, { name: b, run: x, after: [a] }] }'),
      'pipeline_cycle',
      ['Pipeline bad', 'a → b → a'],
    ],
    [
      'a step that waits for one that is not there',
      manifest('Pipeline', '{ steps: [{ name: a, run: x, after: [c] }] }'),
      'pipeline_invalid',
      ['Pipeline bad', 'no step c', '/spec/steps/0/after'],
    ],
  ])('%s is refused with its place, and nothing of it is kept', async (name, yaml, code, said) => {
    const directory = join(place.dataDir, name.replaceAll(' ', '-'))
    await cp(files, directory, { recursive: true })
    await writeFile(join(directory, 'bad.yaml'), yaml)
    const refused = await pave(place, ['apply', directory])
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toMatch(new RegExp(`^${code}: `))
    for (const part of said) expect(refused.stderr).toContain(part)
    expectHint(refused.stderr.trimEnd().split('\n').at(-1))
    expect((await running.admin.call(listDatasets, {})).items).toEqual([])
    expect((await running.admin.call(listModels, {})).items.map(({ model }) => model)).toEqual(['tiny'])
    const pipelines = await running.admin.call(listPipelines, {})
    expect(pipelines.items.map(({ pipeline }) => pipeline)).not.toContain('bad')
  })
})

describe('steps', () => {
  test.each<[string, object, string, string[]]>([
    ['dies', { run: 'echo last words; exit 3' }, 'exit code 3', ['last words']],
    ['crashes', { run: 'kill -SEGV $$' }, 'SIGSEGV', []],
    ['hangs', { run: 'echo waiting; sleep 600', timeout: '1s' }, 'longer than its 1 seconds', ['waiting']],
    [
      'fills-the-disk',
      { run: 'while true; do head -c 1000000 /dev/zero > "$(mktemp)"; done', resources: { diskMb: 8 } },
      'more than its 8 MB of disk',
      [],
    ],
    ['forgets-its-output', { run: 'true', outputs: ['model'] }, 'output `model` was not written', []],
    ['is-no-program', { run: 'no-such-program' }, 'no-such-program', []],
  ])('one that %s fails its run with the reason, and nothing comes after it', async (pipeline, step, reason, log) => {
    const { admin } = running
    const last = { name: 'later', run: 'true', after: ['bad'] }
    await admin.call(putPipeline, { pipeline, spec: { steps: [{ name: 'bad', ...step }, last] } })
    const { run } = await admin.call(startRun, { pipeline })
    const ended = await eventually(async () => {
      const now = await admin.call(getRun, { run })
      return now.state !== 'queued' && now.state !== 'running' && now
    })
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'step_failed', step: 'bad' } })
    expect(ended.error?.message).toContain('Step bad failed')
    expect(ended.error?.message).toContain(reason)
    expect(ended.error?.log).toEqual(expect.arrayContaining(log))
    expectHint(ended.error?.hint)
    expect(ended.steps.map(({ state, outputs }) => [state, outputs])).toEqual([
      ['failed', {}],
      ['skipped', {}],
    ])
  })
})

describe('graphs', () => {
  test.each<[string, string | Buffer, string, string]>([
    ['a text', 'no graph', 'onnx_invalid', 'no ONNX model'],
    ['half a graph', linearModel({ weights: [1, 2] }).subarray(0, 90), 'onnx_invalid', 'no ONNX model'],
    ['inputs of another shape', linearModel({ weights: [1, 2, 3] }), 'signature_mismatch', '[-1, 3]'],
    ['inputs of another name', linearModel({ weights: [1, 2], input: 'x' }), 'signature_mismatch', 'features'],
  ])('%s is refused, and no version is registered', async (_, bytes, code, said) => {
    const { admin } = running
    const uploaded = await admin.raw('POST', '/api/v1/objects', { body: new Uint8Array(Buffer.from(bytes)) })
    const { digest: artifact } = await uploaded.json()
    const version = { model: 'tiny', artifact, signature, features: ['tens', 'hour'] }
    const refused = admin.call(registerVersion, version)
    await expect(refused).rejects.toMatchObject({ code, status: 422, message: expect.stringContaining(said) })
    await refused.catch((error) => expectHint(error.hint))
    expect((await admin.call(listVersions, { model: 'tiny' })).items).toHaveLength(1)
  })
})

describe('requests for predictions', () => {
  const { id, inputs } = question('asked', new Date(0))
  const [at, distance] = inputs
  const withDistance = (change: object) => ({ inputs: [at, { ...distance, ...change }] })
  const literally = (value: string) => JSON.stringify(withDistance({ data: ['?'] })).replace('"?"', value)

  async function infer(body: unknown, headers: Record<string, string> = {}, model = 'tiny') {
    const answer = await fetch(`${place.inferenceUrl}/v2/models/${model}/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${running.token}`, ...headers },
      body:
        typeof body === 'string' || body instanceof Uint8Array
          ? new Uint8Array(Buffer.from(body))
          : JSON.stringify(body),
    })
    return { status: answer.status, body: await answer.json() }
  }

  test.each<[string, unknown, number, string, string, Record<string, string>?, string?]>([
    ['data that do not fill the shape', withDistance({ shape: [2] }), 400, 'tensor_shape_mismatch', 'distance'],
    ['one row too many', withDistance({ shape: [2], data: [1, 2] }), 400, 'tensor_shape_mismatch', 'distance'],
    ['three dimensions', withDistance({ shape: [1, 1, 1] }), 400, 'tensor_shape_mismatch', 'distance'],
    ['another datatype', withDistance({ datatype: 'BYTES', data: ['x'] }), 400, 'tensor_unexpected', 'FP64'],
    ['a datatype that is none', withDistance({ datatype: 'FLOAT' }), 400, 'tensor_datatype_unknown', 'FLOAT'],
    ['a missing field', { inputs: [at] }, 400, 'tensor_missing', 'distance'],
    [
      'an unknown field',
      { inputs: [at, distance, { ...distance, name: 'colour' }] },
      400,
      'tensor_unexpected',
      'colour',
    ],
    ['NaN', literally('NaN'), 400, 'malformed_body', 'NaN'],
    ['NaN as a text', literally('"NaN"'), 400, 'tensor_value_invalid', 'Element 0 of distance'],
    ['nothing for a number', literally('null'), 400, 'tensor_value_invalid', 'Element 0 of distance'],
    ['a number beyond all', literally('1e999'), 400, 'tensor_value_invalid', 'Element 0 of distance'],
    ['no time', { inputs: [{ ...at, data: ['yesterday'] }, distance] }, 400, 'tensor_value_invalid', 'at'],
    ['malformed JSON', '{"inputs": [}', 400, 'malformed_body', '}'],
    ['a list', '[]', 400, 'inference_request_invalid', 'object'],
    ['no inputs', '{}', 400, 'inference_request_invalid', 'inputs'],
    ['a huge body', new Uint8Array(65 * 2 ** 20), 413, 'body_too_large', '64 MiB'],
    ['no token', { id, inputs }, 401, 'unauthenticated', 'no token', { authorization: '' }],
    ['a wrong token', { id, inputs }, 401, 'unauthenticated', 'unknown', { authorization: 'Bearer pave_x' }],
    ['an unknown model', { id, inputs }, 404, 'model_not_served', 'nothing', {}, 'nothing'],
  ])('%s', async (_, body, status, code, said, headers, model) => {
    const refused = await infer(body, headers, model)
    expect(refused).toMatchObject({ status, body: { code, error: expect.stringContaining(said) } })
    expectHint(refused.body.hint)
    expect((await infer({ id, inputs })).status).toBe(200)
  })
})

describe('requests to the API', () => {
  async function put(body: string, headers: Record<string, string> = {}, model = 'bad') {
    const answer = await fetch(`${place.url}/api/v1/models/${model}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${running.token}`, ...headers },
      body,
    })
    return { status: answer.status, body: await answer.json() }
  }

  const good = '{"spec": {"owner": "ada", "tier": 4, "task": "other"}}'
  test.each<[string, string, number, string, object, Record<string, string>?, string?]>([
    ['malformed JSON', '{"spec": ', 400, 'malformed_body', {}],
    ['a huge body', `{"spec": "${'x'.repeat(20 * 2 ** 20)}"}`, 413, 'body_too_large', {}],
    [
      'every wrong field at once',
      '{"spec": {"owner": 3, "tier": 4, "task": "other", "colour": "red"}}',
      422,
      'invalid_input',
      {
        problems: [expect.objectContaining({ pointer: '/spec/owner' }), expect.objectContaining({ pointer: '/spec' })],
      },
    ],
    [
      'a name that is none',
      good,
      422,
      'invalid_input',
      { problems: [expect.objectContaining({ pointer: '/model' })] },
      {},
      'a%40b',
    ],
    ['no token', good, 401, 'unauthenticated', {}, { authorization: '' }],
    ['a wrong token', good, 401, 'unauthenticated', {}, { authorization: 'Bearer pave_x' }],
  ])('%s', async (_, body, status, code, also, headers, model) => {
    const refused = await put(body, headers, model)
    expect(refused).toMatchObject({ status, body: { status, code, detail: expect.any(String), ...also } })
    expectHint(refused.body.hint)
    expect((await running.admin.call(listModels, {})).items.map((one) => one.model)).toEqual(['tiny'])
  })

  test('a wrong token at the command line', async () => {
    const refused = await pave(place, ['list-models'], { PAVE_TOKEN: 'pave_x' })
    expect(refused).toMatchObject({ code: 3, stdout: '', stderr: expect.stringMatching(/^unauthenticated: .*\n.+\n$/) })
  })

  test.each([
    ['an unknown command', ['lst-models'], 'lst-models'],
    ['an unknown flag', ['list-models', '--colour', 'red'], '--colour'],
    ['a number that is none', ['list-models', '--limit', 'many'], 'many'],
  ])('%s', async (_, args, said) => {
    const refused = await pave(place, args)
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^usage: .*\n.+\n$/) })
    expect(refused.stderr).toContain(said)
  })
})

/** A sentence that says what to do. */
function expectHint(hint: unknown): void {
  expect(hint).toEqual(expect.stringMatching(/^[A-Z].{10,}\.$/))
}
