import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createToken } from '#modules/identity/contract.ts'
import { identity } from '#modules/identity/module.ts'
import { registry } from '#modules/registry/module.ts'
import { getEvaluationDataset, getTraceAttachment } from '#modules/traces/contract.ts'
import { traces } from '#modules/traces/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { webhooks } from '#modules/webhooks/module.ts'
import { loadConfig } from '#platform/config.ts'
import { type Client, createClient } from '#platform/surfaces/client.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import { exitCodes } from '#platform/surfaces/command-line.ts'
import { mlflow } from '#protocols/mlflow/module.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { writeMlflowFile } from './export/write-mlflow-file.ts'
import { nothingCopied } from './import/copied.ts'
import { copyDatasets } from './import/copy-evaluation.ts'
import { copyTracking } from './import/copy-tracking.ts'
import { openMlflowServer, openPave } from './import/mlflow-rest.ts'
import type { MlflowDataset, MlflowRecord, MlflowSource } from './import/mlflow-source.ts'
import { openMlflowFile } from './import/mlflow-sqlite.ts'
import { verifyCopy } from './import/verify-copy.ts'
import { importFrom } from './import.ts'

let folder: string
let pave: TestPlatform
let client: Client
const ends: Array<() => unknown> = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pave-import-'))
  pave = await createTestPlatform({ modules: [identity, tracking, traces, registry, webhooks, mlflow] })
  await pave.as('ada', 'admin')
  const { token } = await pave.run(createToken, { principal: 'ada', name: 'move' })
  client = createClient({ url: await pave.controlPlane.http.listen({ host: '127.0.0.1', port: 0 }), token })
})
afterAll(async () => {
  for (const end of ends) await end()
  await pave.drop()
  await rm(folder, { recursive: true })
})

const quiet = { say: () => {}, tick: () => {} }
const attachment = '0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d'

let made = 0
/** An experiment with two runs of a file each, and a trace whose span refers to a file, and to what is none. */
async function mlflowFile() {
  made++
  const name = `trees ${made}`
  const runs = ['a', 'b'].map((letter) =>
    `${made}${letter}`.padEnd(12, '0').concat('4').padEnd(16, '0').concat('8').padEnd(32, '0'),
  )
  const trace = `tr-${`${made}`.padStart(32, '0')}`
  const home = join(folder, name)
  for (const run of runs) {
    await mkdir(join(home, run), { recursive: true })
    await writeFile(join(home, run, 'note.txt'), `of ${run}`)
  }
  await mkdir(join(home, 'trace/attachments'), { recursive: true })
  await writeFile(join(home, 'trace/attachments', attachment), 'picture')
  const attributes = { picture: `mlflow-attachment://${attachment} mlflow-attachment://${'-'.repeat(35)}a` }
  const times = { start_time: 1_700_000_000_000_000, end_time: 1_700_000_000_000_001 }
  const span = { name: 'see', context: { span_id: '0x1' }, parent_id: null, attributes, ...times }
  await writeFile(join(home, 'trace/traces.json'), JSON.stringify({ spans: [span] }))
  const file = join(home, 'mlflow.db')
  const db = new DatabaseSync(file)
  db.exec(`create table experiments (experiment_id integer, name text, artifact_location text, lifecycle_stage text);
    create table runs (run_uuid text, name text, user_id text, status text, start_time int, end_time int,
      lifecycle_stage text, artifact_uri text, experiment_id int);
    create table latest_metrics (key text, value real, timestamp int, step int, is_nan int, run_uuid text);
    create table trace_info (request_id text, experiment_id int, timestamp_ms int, execution_time_ms int, status text);
    create table trace_tags (request_id text, key text, value text);
    insert into experiments values (0, '${name}', '', 'active');
    insert into trace_info values ('${trace}', 0, 1700000000123, 1500, 'OK');
    insert into trace_tags values ('${trace}', 'mlflow.artifactLocation', 'trace')`)
  for (const run of runs) {
    db.exec(`insert into runs values ('${run}', 'run', 'ada', 'FINISHED', 1, 2, 'active', '${run}', 0)`)
  }
  db.close()
  const source = await openMlflowFile(file, { artifacts: join(home, 'mlartifacts'), allowed: [] })
  ends.push(() => source.close())
  return { source, file, runs, trace }
}

const answering = (status: number) => async () => {
  throw clientFailure('unexpected_answer', `it says ${status}`, { details: { status } })
}

async function copy(source: MlflowSource) {
  const copied = nothingCopied()
  await copyTracking({ source, client, ...quiet }, [], copied)
  return copied
}

/** The server that answers what `answers` has for a path, and 403 to all else. */
async function serverWith(answers: (path: string) => unknown): Promise<string> {
  const server = createServer((request, response) => {
    const answer = answers(new URL(request.url ?? '', 'http://a').pathname.replace(/^\/api\/[23]\.0\/mlflow\//, ''))
    response.writeHead(answer === undefined ? 403 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return `http://127.0.0.1:${address.port}`
}

describe('pave import mlflow', () => {
  it('names a file that breaks off, copies the rest, and copies it the next time', async () => {
    const { source, runs } = await mlflowFile()
    const broken = async () =>
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(Buffer.from('of')),
        pull: (controller) => controller.error(new Error('the disk is gone')),
      })
    const open: MlflowSource['open'] = (root, path) => (root.id === runs[0] ? broken() : source.open(root, path))
    const first = await copy({ ...source, open })
    expect(first.problems).toEqual([
      {
        ...{ what: `run ${runs[0]}`, code: 'source_unreadable' },
        message: expect.stringContaining('the disk is gone'),
      },
    ])
    expect(first).toMatchObject({ runs: 1, traces: 1 })
    expect(await copy(source)).toMatchObject({ runs: 1, unchanged: 1, problems: [] })
  })

  it('copies a trace again whose attachment could not be read', async () => {
    const { source, trace } = await mlflowFile()
    const problems = [{ what: `trace ${trace}: attachment ${attachment}` }]
    expect(await copy({ ...source, attachment: answering(503) })).toMatchObject({ traces: 1, problems })
    expect(await copy(source)).toMatchObject({ traces: 1, problems: [] })
    expect(await client.call(getTraceAttachment, { trace, attachment })).toMatchObject({ size: 'picture'.length })
    expect(await copy(source)).toMatchObject({ traces: 0, unchangedTraces: 1 })
  })

  it('does not copy a trace again for an attachment that is not there', async () => {
    const { source, file, trace } = await mlflowFile()
    await rm(join(dirname(file), 'trace/attachments'), { recursive: true })
    const problems = [{ what: `trace ${trace}: attachment ${attachment}` }]
    expect(await copy(source)).toMatchObject({ traces: 1, problems })
    expect(await copy(source)).toMatchObject({ traces: 0, unchangedTraces: 1, problems: [] })
  })

  it('goes on with an evaluation dataset that was made and changed at one time', async () => {
    const time = 1_700_000_000_000
    const dataset: MlflowDataset = {
      ...{ dataset_id: `d-${'1'.padStart(32, '0')}`, name: 'questions', created_time: time, last_update_time: time },
      experiment_ids: [],
    }
    const record = (number: number): MlflowRecord => ({
      ...{ dataset_record_id: `dr-${`${number}`.padStart(32, '0')}`, inputs: { number } },
      ...{ created_time: time, last_update_time: time },
    })
    const { source } = await mlflowFile()
    const killedAfter = (most: number): MlflowSource => ({
      ...source,
      async *datasets() {
        yield dataset
      },
      async *records() {
        for (let number = 1; number <= 700; number++) {
          if (number > most) throw new Error('killed')
          yield record(number)
        }
      },
    })
    const copied = nothingCopied()
    await expect(copyDatasets({ source: killedAfter(600), client, ...quiet }, new Map(), copied)).rejects.toThrow()
    await copyDatasets({ source: killedAfter(700), client, ...quiet }, new Map(), copied)
    expect(copied.records).toBe(500 + 700)
    const here = await client.call(getEvaluationDataset, { dataset: dataset.dataset_id })
    expect(here.updatedAt).toBe(new Date(time).toISOString())
    const records = openPave(client).records(dataset.dataset_id)
    expect((await Array.fromAsync(records)).map(({ inputs }) => inputs['number'])).toHaveLength(700)
    await copyDatasets({ source: killedAfter(0), client, ...quiet }, new Map(), copied)
    expect(copied.datasets).toBe(1)
  })

  it('says of files that cannot be read that they are not compared, and compares the rest', async () => {
    const { source, runs, trace } = await mlflowFile()
    expect(await copy(source)).toMatchObject({ runs: 2, traces: 1, problems: [] })
    const options = { here: openPave(client), files: true, ...quiet }
    const only = (await Array.fromAsync(source.experiments())).map(({ name }) => name)
    expect(await verifyCopy({ there: source, only, ...options })).toMatchObject({ differing: 0 })
    const hidden = new ReadableStream<never>({
      start: (controller) => controller.error(clientFailure('source_unreadable', 'it is elsewhere')),
    })
    const there: MlflowSource = {
      ...source,
      artifacts: (root) => (root.id === runs[0] ? hidden : source.artifacts(root)),
      attachment: answering(404),
    }
    const verified = await verifyCopy({ there, only, ...options })
    expect(verified.differences).toEqual([
      { what: `run ${runs[0]}: files`, message: 'cannot be compared: it is elsewhere' },
      { what: `trace ${trace}: attachment ${attachment}`, message: 'cannot be compared: it says 404' },
    ])
    expect(verified.counts.files).toEqual({ there: 1, here: 1 })
  })

  it('does not say that all is here when one side shows not all', async () => {
    const url = await serverWith((path) =>
      ['experiments/search', 'registered-models/search'].includes(path) ? {} : undefined,
    )
    const said: string[] = []
    const output = { out: (text: string) => void said.push(text), err: () => {} }
    const code = await importFrom(['mlflow', '--from', url, '--verify'], loadConfig({}), async () => client, output)
    expect(said).toEqual([
      'not compared, because one side does not show them: evaluation datasets',
      'All that was compared is here, as it is there.',
    ])
    expect(code).toBe(exitCodes.refused)
  })

  it('does not follow folders in a circle', async () => {
    const url = await serverWith(() => ({ files: [{ path: 'again', is_dir: true }] }))
    const source = openMlflowServer(url, { token: undefined })
    for (const kind of ['run', 'version'] as const) {
      const files = source.artifacts({ kind, id: 'a', root: 'mlflow-artifacts:/a' })
      await expect(Array.fromAsync(files)).rejects.toThrow('more than 250 levels')
    }
  })
})

describe('pave export mlflow', () => {
  it('writes the rest when a span refers to a file that is not there', async () => {
    const { source, file, trace } = await mlflowFile()
    await rm(join(dirname(file), 'trace/attachments'), { recursive: true })
    await copy(source)
    const to = join(folder, 'back/mlflow.db')
    const options = { source: openPave(client), client, file: to, artifacts: join(folder, 'back/files') }
    const { problems, traces: written } = await writeMlflowFile({ ...options, ...quiet })
    expect(written).toBeGreaterThan(0)
    expect(problems).toContainEqual({
      ...{ what: `trace ${trace}: attachment ${attachment}`, code: 'trace_attachment_not_found' },
      message: expect.any(String),
    })
    expect(problems.filter(({ code }) => code !== 'trace_attachment_not_found')).toEqual([])
    expect(existsSync(to)).toBe(true)
  })
})
