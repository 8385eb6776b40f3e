import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openMlflowFile } from './mlflow-sqlite.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pave-mlflow-file-'))
})
afterAll(() => rm(folder, { recursive: true }))

const experiments = `
  create table experiments (experiment_id integer, name text, artifact_location text, lifecycle_stage text);
  create table runs (run_uuid text, name text, user_id text, status text, start_time int, end_time int,
    lifecycle_stage text, artifact_uri text, experiment_id int);
  insert into experiments values (0, 'Default', '', 'active')`

function fileWith(name: string, statements: string): string {
  const file = join(folder, name)
  const db = new DatabaseSync(file)
  db.exec(statements)
  db.close()
  return file
}

const collect = <T>(items: AsyncIterable<T>) => Array.fromAsync(items)

describe('the file of an MLflow', () => {
  it('of version 1, which knew no models, traces or datasets, holds what it holds', async () => {
    const source = await openMlflowFile(fileWith('1.db', experiments), { artifacts: folder, allowed: [] })
    expect(await collect(source.experiments())).toMatchObject([{ name: 'Default', creation_time: 0, tags: {} }])
    for (const nothing of [
      ...[source.traces('0'), source.scorers('0'), source.loggedModels('0'), source.linkedTraces('a', '0')],
      ...[source.models(), source.datasets(), source.webhooks()],
    ]) {
      expect(await collect<unknown>(nothing)).toEqual([])
    }
    await source.close()
  })

  it('of version 2, whose traces have their spans in files and fewer columns, is read', async () => {
    const id = `tr-${'2'.padStart(32, '0')}`
    await mkdir(join(folder, 'traces'))
    const attributes = {
      'mlflow.traceRequestId': `"${id}"`,
      'mlflow.spanInputs': '{"big": 9007199254740993}',
      odd: 'NaN',
    }
    const span = {
      ...{ name: 'answer', context: { span_id: '0x1', trace_id: '0x2' }, parent_id: null, attributes },
      ...{ start_time: '@start', end_time: '@end', status_code: 'OK', status_message: '' },
      events: [{ name: 'looked', timestamp: 1, attributes: { rows: 3 } }],
    }
    const text = JSON.stringify({ spans: [span] })
      .replace('"@start"', '1700000000123456789')
      .replace('"@end"', 'null')
    await writeFile(join(folder, 'traces', 'traces.json'), text)
    const file = fileWith(
      '2.db',
      `${experiments};
      create table trace_info (request_id text, experiment_id int, timestamp_ms int, execution_time_ms int, status text);
      create table trace_tags (request_id text, key text, value text);
      create table trace_request_metadata (request_id text, key text, value text);
      insert into trace_info values ('${id}', 0, 1700000000123, 1500, 'OK');
      insert into trace_tags values ('${id}', 'mlflow.artifactLocation', 'file://${folder}/traces'), ('${id}', 'mlflow.traceName', 'answer');
      insert into trace_request_metadata values ('${id}', 'mlflow.user', 'ada')`,
    )
    const source = await openMlflowFile(file, { artifacts: folder, allowed: [] })
    const traces = await collect(source.traces('0'))
    expect(traces).toMatchObject([
      {
        ...{ trace: id, startedAt: 1_700_000_000_123, durationMs: 1500, state: 'ok', clientRequest: null },
        ...{ metadata: { 'mlflow.user': 'ada' }, assessments: [] },
      },
    ])
    expect((await source.spans(traces)).get(id)).toEqual([
      {
        ...{ span: '0000000000000001', parent: null, name: 'answer', kind: 0, status: 'ok', message: '', links: [] },
        ...{ start: '1700000000123456789', end: null },
        attributes: `{"mlflow.traceRequestId":"${id}","mlflow.spanInputs":{"big": 9007199254740993},"odd":"NaN"}`,
        events: [{ name: 'looked', time: '1', attributes: '{"rows":3}' }],
      },
    ])
    await source.close()
  })

  it('that is none is refused', async () => {
    await expect(
      openMlflowFile(fileWith('none.db', 'create table a (b)'), { artifacts: folder, allowed: [] }),
    ).rejects.toMatchObject({
      code: 'usage',
    })
  })
})

describe('artifacts that the file of an MLflow names', () => {
  let own: string
  let artifacts: string
  beforeAll(async () => {
    own = join(folder, 'own')
    artifacts = join(folder, 'kept')
    await mkdir(join(artifacts, '0/a/artifacts/deep'), { recursive: true })
    await writeFile(join(artifacts, '0/a/artifacts/deep/one.txt'), 'one')
    await mkdir(join(folder, 'secrets'))
    await writeFile(join(folder, 'secrets/key'), 'secret')
    await symlink(join(folder, 'secrets'), join(artifacts, '0/link'))
    await mkdir(own)
    await writeFile(join(own, 'notes.txt'), 'private')
  })

  let made = 0
  const withRoot = (root: string | null) =>
    fileWith(
      join('own', `${++made}.db`),
      `${experiments};
       create table latest_metrics (key text, value real, timestamp int, step int, is_nan int, run_uuid text);
       insert into runs (run_uuid, status, lifecycle_stage, artifact_uri, experiment_id)
       values ('a', 'FINISHED', 'active', ${root === null ? 'null' : `'${root}'`}, 0)`,
    )
  async function filesBelow(root: string, allowed: string[] = []) {
    const source = await openMlflowFile(withRoot(null), { artifacts, allowed })
    try {
      return (await collect(source.artifacts({ kind: 'run', id: 'a', root }))).map(({ path }) => path)
    } finally {
      await source.close()
    }
  }

  it('are found in the folder that its server kept them in', async () => {
    expect(await filesBelow('mlflow-artifacts:/0/a/artifacts')).toEqual(['deep/one.txt'])
    expect(await filesBelow('mlflow-artifacts://host:5000/0/a/artifacts')).toEqual(['deep/one.txt'])
    expect(await filesBelow('mlflow-artifacts:/0/none/artifacts')).toEqual([])
  })

  it('are none where there is no root', async () => {
    expect(await filesBelow('')).toEqual([])
    const source = await openMlflowFile(withRoot(null), { artifacts, allowed: [] })
    const [run] = await collect(source.runs('0'))
    expect(run?.info.artifact_uri).toBe('')
    await source.close()
  })

  it.each([
    ['beside it', () => `file://${folder}/secrets`],
    ['on a disk that is not there', () => 'file:///mnt/pave-has-no-such-disk/a'],
    ['above it', () => 'mlflow-artifacts:/0/%2e%2e/..%2Fsecrets'],
    ['behind a link', () => 'mlflow-artifacts:/0/link'],
    ['in the folder of the database itself', () => '.'],
    ['in a store that is not here', () => 'dbfs:/runs/a'],
    ['in a bucket', () => 's3://bucket/a'],
    ['on another machine', () => 'file://elsewhere/a'],
    ['in what is no folder', () => 'mlflow-artifacts:/0/a/artifacts/deep/one.txt/more'],
  ])('are refused by name when they are %s', async (_, root) => {
    await expect(filesBelow(root())).rejects.toMatchObject({ code: 'source_unreadable' })
  })

  it('are copied from anywhere that whoever imports allows', async () => {
    const secrets = join(folder, 'secrets')
    expect(await filesBelow(`file://${secrets}`, [secrets])).toEqual(['key'])
    expect(await filesBelow('mlflow-artifacts:/0/link', [folder])).toEqual(['key'])
    await expect(filesBelow(`file://${secrets}`, [`${secrets}s`])).rejects.toMatchObject({ code: 'source_unreadable' })
  })

  it('are not taken to be none because the folder is another', async () => {
    const file = withRoot('mlflow-artifacts:/0/a/artifacts')
    const open = (given: string) => openMlflowFile(file, { artifacts: given, allowed: [] })
    const named = { code: 'usage', hint: expect.stringContaining('--artifacts') }
    await expect(open(join(folder, 'nowhere'))).rejects.toMatchObject(named)
    await expect(open(join(folder, 'secrets'))).rejects.toMatchObject(named)
    await mkdir(join(folder, 'empty'))
    for (const given of [artifacts, join(folder, 'empty')]) await (await open(given)).close()
  })

  it('are not needed for traces whose spans are in the database, as long as these name no file', async () => {
    const file = fileWith(
      'own/traced.db',
      `${experiments}; create table trace_tags (request_id text, key text, value text);
       insert into trace_tags values ('t', 'mlflow.artifactLocation', 'mlflow-artifacts:/0/traces/t/artifacts'),
         ('t', 'mlflow.trace.spansLocation', 'TRACKING_STORE')`,
    )
    const source = await openMlflowFile(file, { artifacts: join(folder, 'nowhere'), allowed: [] })
    const tags = { 'mlflow.artifactLocation': 'mlflow-artifacts:/0/traces/t/artifacts' }
    const trace = { trace: 't', startedAt: 1, durationMs: 1, state: 'ok' as const, tags, metadata: {}, assessments: [] }
    const none = { clientRequest: null, requestPreview: null, responsePreview: null }
    const failed: unknown = await source.attachment({ ...trace, ...none }, 'a').catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'source_unreadable', details: undefined })
    await source.close()
  })
})
